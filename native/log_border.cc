// What JavaScript sees of the senders to the system log. A channel is an
// External: it ends with its last reference, or with its Worker.
#include <uv.h>

#include <cerrno>
#include <cstdlib>

#include "js.h"
#include "posix/descriptors.h"
#include "posix/lines.h"
#include "posix/log_locked.h"
#include "posix/log_pipes.h"
#include "posix/log_sender.h"

namespace {

// One that JavaScript holds: with what came after the last newline.
struct Holder {
  posix::LogChannel* channel;
  posix::Lines messages;  // whole ones
  posix::Lines stream;    // of bytes
  uv_thread_t owner;
  Holder* next = nullptr;
};

uv_once_t once = UV_ONCE_INIT;
bool works = false;
uv_mutex_t listing;
Holder* holders = nullptr;  // of all threads

using Handle = Napi::External<Holder>;

Holder& holder_of(const Napi::CallbackInfo& info) {
  return *info[0].As<Handle>().Data();
}

void send_line(void* to, int priority, const std::string& line) noexcept {
  auto* channel = static_cast<posix::LogChannel*>(to);
  channel->sender.push(channel, priority, line.data(), line.size());
}

void drop(Napi::Env, Holder* holder) {
  // What came without a newline is a message as well.
  holder->stream.end();
  holder->channel->sender.close(holder->channel);
  {
    const posix::Locked lock(listing);
    Holder** link = &holders;
    while (*link != holder) link = &(*link)->next;
    *link = holder->next;
  }
  delete holder;
}

// Those of this thread. Only the natural end of a program drops all of them.
void end_lines() {
  if (!works) return;
  const uv_thread_t self = ::uv_thread_self();
  const posix::Locked lock(listing);
  for (Holder* holder = holders; holder; holder = holder->next)
    if (::uv_thread_equal(&self, &holder->owner)) holder->stream.end();
}

// Once, after the senders are made: their flush comes after this at exit.
void initialize() {
  works = ::uv_mutex_init(&listing) == 0 && ::atexit(end_lines) == 0;
}

// As at the end of the process.
void flush_all(const Napi::CallbackInfo&) {
  end_lines();
  posix::flush_log_senders();
}

// (path, ident, facility, pid, bound, piece, patience, fallback, withoutWay,
// priority): a handle, or a negated errno
Napi::Value open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto number = [&](int index) {
    return info[index].As<Napi::Number>().Int64Value();
  };
  posix::LogChannelOptions options;
  options.ident = info[1].As<Napi::String>().Utf8Value();
  options.facility = static_cast<int>(number(2));
  options.pid = info[3].As<Napi::Boolean>().Value();
  options.bound = static_cast<size_t>(number(4));
  options.piece = static_cast<size_t>(number(5));
  options.patience = number(6);
  options.fallback = static_cast<int>(number(7));
  options.without_way = number(8);
  const int priority = static_cast<int>(number(9));
  int error = 0;
  posix::LogSender* sender =
      posix::LogSender::get(info[0].As<Napi::String>().Utf8Value(), error);
  ::uv_once(&once, initialize);
  if (error == 0 && !works) error = -ENOMEM;
  if (error != 0) {
    if (options.fallback >= 0) posix::close(options.fallback);
    return Napi::Number::New(env, error);
  }
  const size_t piece = options.piece;
  posix::LogChannel* channel = sender->open(std::move(options));
  auto* holder = new Holder{
      channel, posix::Lines(send_line, channel, priority, piece),
      posix::Lines(send_line, channel, priority, piece), ::uv_thread_self()};
  {
    const posix::Locked lock(listing);
    holder->next = holders;
    holders = holder;
  }
  return Handle::New(env, holder, drop);
}

// (handle, priority, text)
void send(const Napi::CallbackInfo& info) {
  Holder& holder = holder_of(info);
  constexpr size_t kUsual = 4096;
  char usual[kUsual];
  size_t size = 0;
  napi_get_value_string_utf8(info.Env(), info[2], usual, kUsual, &size);
  holder.messages.set_priority(info[1].As<Napi::Number>().Int32Value());
  // A character that does not fit is left out whole.
  if (size < kUsual - 4) {
    holder.messages.feed(usual, size);
  } else {
    const std::string text = info[2].As<Napi::String>().Utf8Value();
    holder.messages.feed(text.data(), text.size());
  }
  if (size == 0) holder.messages.feed("\n", 1);
  holder.messages.end();
}

// (handle, Uint8Array)
void write(const Napi::CallbackInfo& info) {
  const auto bytes = info[1].As<Napi::Uint8Array>();
  holder_of(info).stream.feed(reinterpret_cast<const char*>(bytes.Data()),
                              bytes.ByteLength());
}

// (handle)
void end(const Napi::CallbackInfo& info) { holder_of(info).stream.end(); }

// (handle): [queued, bytes, sent, dropped, fallback, connected]
Napi::Value stats(const Napi::CallbackInfo& info) {
  const posix::LogChannel* channel = holder_of(info).channel;
  const posix::LogCounts counts = channel->sender.counts(channel);
  const std::array<double, 6> values = {
      static_cast<double>(counts.queued),
      static_cast<double>(counts.bytes),
      static_cast<double>(counts.sent),
      static_cast<double>(counts.dropped),
      static_cast<double>(counts.fallback),
      channel->sender.connected() ? 1.0 : 0.0};
  return js::to(info.Env(), values);
}

// (handle): whether who can wait should do so
Napi::Value should_wait(const Napi::CallbackInfo& info) {
  const posix::LogChannel* channel = holder_of(info).channel;
  return Napi::Boolean::New(info.Env(), channel->sender.should_wait(channel));
}

// (handle, ms): whether nothing is queued any more
Napi::Value flush(const Napi::CallbackInfo& info) {
  const posix::LogChannel* channel = holder_of(info).channel;
  const int64_t ms = info[1].As<Napi::Number>().Int64Value();
  return Napi::Boolean::New(info.Env(), channel->sender.flush(channel, ms));
}

// (read end of stdout, of stderr, handle)
Napi::Value serve_pipes(const Napi::CallbackInfo& info) {
  const int out = info[0].As<Napi::Number>().Int32Value();
  const int err = info[1].As<Napi::Number>().Int32Value();
  posix::LogChannel* channel = info[2].As<Handle>().Data()->channel;
  return Napi::Number::New(info.Env(),
                           posix::serve_log_pipes(out, err, channel));
}

}  // namespace

void expose_log(Napi::Env env, Napi::Object exports) {
  exports.Set("openLogChannel", Napi::Function::New<open>(env));
  exports.Set("sendToLog", Napi::Function::New<send>(env));
  exports.Set("writeToLog", Napi::Function::New<write>(env));
  exports.Set("endLogLine", Napi::Function::New<end>(env));
  exports.Set("shouldWaitForLog", Napi::Function::New<should_wait>(env));
  exports.Set("logStats", Napi::Function::New<stats>(env));
  exports.Set("flushLog", Napi::Function::New<flush>(env));
  exports.Set("serveLogPipes", Napi::Function::New<serve_pipes>(env));
  exports.Set("flushAllLogs", Napi::Function::New<flush_all>(env));
  js::expose<posix::open_log_pipe>(exports, "openLogPipe");
  js::expose<posix::settle_log_pipes>(exports, "settleLogPipes");
  js::expose<posix::end_log_lines>(exports, "endLogLines");
  js::expose<posix::set_log_pipe_priority>(exports, "setLogPipePriority");
}
