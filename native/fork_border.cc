// What JavaScript sees of native/forkall/, and what a daemon needs besides the
// primitives.
#include <sys/syscall.h>
#include <unistd.h>

#include "forkall/forkall.h"
#include "inherited.h"
#include "js.h"
#include "loop.h"
#include "posix/dispositions.h"
#include "posix/log_pipes.h"
#include "posix/log_sender.h"

namespace {

using forkall::Step;

// In the order of enum Step; fork.ts and bench/ use the names.
constexpr const char* kSteps[] = {"prepare", "stop",   "survey",
                                  "fork",    "setsid", "refork",
                                  "replace", "revive", "done"};
static_assert(std::size(kSteps) == static_cast<size_t>(Step::kCount));

constexpr double kNanosecondsPerMillisecond = 1e6;

// Milliseconds to nanoseconds; what is too long for them is for ever.
uint64_t nanoseconds(Napi::Value value) {
  constexpr double kLongest = 1e18;
  const double time =
      value.As<Napi::Number>().DoubleValue() * kNanosecondsPerMillisecond;
  return time < kLongest ? static_cast<uint64_t>(time) : ~0ull;
}

// {value, step, thread}: value is the pid (or channel), or a negated errno.
Napi::Value outcome(Napi::Env env, const forkall::Result& result, long value) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("value", static_cast<double>(result.error ? result.error : value));
  object.Set("step", kSteps[static_cast<size_t>(result.step)]);
  object.Set("thread", Napi::String::New(env, result.thread));
  return object;
}

Napi::Value fork(const Napi::CallbackInfo& info) {
  posix::hold_log_pipes();
  posix::hold_log_senders();
  const forkall::Result result = forkall::fork(nanoseconds(info[0]));
  if (result.error == 0 && result.pid == 0) {
    posix::renew_log_senders();
    posix::renew_log_pipes();
  } else {
    posix::release_log_senders();
    posix::release_log_pipes();
  }
  return outcome(info.Env(), result, result.pid);
}

// (ms to stop the threads, ms to be ready or 0). The daemon takes what is
// queued for the log along: the launching process never goes on.
Napi::Value detach(const Napi::CallbackInfo& info) {
  posix::hold_log_senders();
  const forkall::Result result =
      forkall::detach(nanoseconds(info[0]), nanoseconds(info[1]));
  posix::release_log_senders();
  return outcome(info.Env(), result, result.channel);
}

Napi::Value unsupported(const Napi::CallbackInfo& info) {
  const char* reason = forkall::unsupported();
  return reason ? Napi::String::New(info.Env(), reason) : info.Env().Null();
}

// How long each step of the last fork took, in ms.
Napi::Value fork_times(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  uint64_t begin = forkall::times.begin;
  for (size_t step = 0; step < std::size(kSteps); ++step) {
    const uint64_t end = forkall::times.ended[step];
    if (end < begin) continue;
    object.Set(kSteps[step],
               static_cast<double>(end - begin) / kNanosecondsPerMillisecond);
    begin = end;
  }
  return object;
}

uv_loop_t* loop_of(Napi::Env env) {
  uv_loop_t* loop = nullptr;
  napi_get_uv_event_loop(env, &loop);
  return loop;
}

// [{fd, type}] of the loop's handles.
Napi::Value loop_handles(const Napi::CallbackInfo& info) {
  const auto handles = loop::handles(loop_of(info.Env()));
  Napi::Array array = Napi::Array::New(info.Env(), handles.size());
  for (uint32_t i = 0; i < handles.size(); ++i) {
    Napi::Object object = Napi::Object::New(info.Env());
    object.Set("fd", handles[i].fd);
    object.Set("type", handles[i].type);
    array.Set(i, object);
  }
  return array;
}

Napi::Value inherited_descriptors(const Napi::CallbackInfo& info) {
  const std::vector<int> fds = inherited::list(loop_of(info.Env()));
  Napi::Array array = Napi::Array::New(info.Env(), fds.size());
  for (uint32_t i = 0; i < fds.size(); ++i) array.Set(i, fds[i]);
  return array;
}

// (fd)
Napi::Value flush_stream(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  return Napi::Number::New(info.Env(), loop::flush(loop_of(info.Env()), fd));
}

// (fd, Uint8Array)
Napi::Value write_all(const Napi::CallbackInfo& info) {
  const int fd = info[0].As<Napi::Number>().Int32Value();
  const auto bytes = info[1].As<Napi::Uint8Array>();
  const int result = loop::write_all(
      fd, reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength());
  return Napi::Number::New(info.Env(), result);
}

int own_tid() noexcept { return static_cast<int>(::syscall(SYS_gettid)); }

}  // namespace

void expose_fork(Napi::Env env, Napi::Object exports) {
  exports.Set("fork", Napi::Function::New<fork>(env, "fork"));
  exports.Set("detach", Napi::Function::New<detach>(env, "detach"));
  exports.Set("unsupported",
              Napi::Function::New<unsupported>(env, "unsupported"));
  exports.Set("forkTimes", Napi::Function::New<fork_times>(env, "forkTimes"));
  inherited::remember();
  exports.Set(
      "inheritedDescriptors",
      Napi::Function::New<inherited_descriptors>(env, "inheritedDescriptors"));
  exports.Set("loopHandles",
              Napi::Function::New<loop_handles>(env, "loopHandles"));
  exports.Set("flushStream",
              Napi::Function::New<flush_stream>(env, "flushStream"));
  exports.Set("writeAll", Napi::Function::New<write_all>(env, "writeAll"));
  js::expose<own_tid>(exports, "gettid");
  js::expose<posix::set_aside>(exports, "setAside");
  js::expose<posix::give_back>(exports, "giveBack");
  js::expose<posix::reset_signals>(exports, "resetSignals");
}
