#include "log_pipe_server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "log_locked.h"
#include "log_sender.h"
#include "result.h"
#include "thread.h"

namespace posix {

namespace {

// How much is read at once: a pipe of the usual size.
constexpr size_t kMostAtOnce = 1 << 16;

// How long the thread waits for room in the queue before it looks again.
constexpr long kRoomNanoseconds = 1000000;

int make_event() { return result(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

void add_event(int fd) {
  const uint64_t one = 1;
  uninterrupted([&] { return ::write(fd, &one, sizeof one); });
}

// It is 0 afterwards.
void take_event(int fd) {
  uint64_t count;
  uninterrupted([&] { return ::read(fd, &count, sizeof count); });
}

}  // namespace

LogPipeServer::Source::Source(LogPipeServer& server, int fd,
                              int priority) noexcept
    : server(server),
      fd(fd),
      priority(priority),
      lines(send_line, this, 0, server.channel_->options.piece) {}

LogPipeServer::LogPipeServer(int out, int err, LogChannel* channel) noexcept
    : channel_(channel),
      sources_{{*this, out, LOG_INFO}, {*this, err, LOG_ERR}},
      pid_(::getpid()) {}

LogPipeServer::~LogPipeServer() {
  if (wake_ >= 0) close(wake_);
  if (done_ >= 0) close(done_);
}

int LogPipeServer::start() noexcept {
  wake_ = make_event();
  if (wake_ < 0) return wake_;
  done_ = make_event();
  if (done_ < 0) return done_;
  const int error = uv_mutex_init(&reading_);
  return error == 0 ? start_thread(run, this) : error;
}

void LogPipeServer::run(void* server) {
  ::prctl(PR_SET_NAME, "log-pipes");
  static_cast<LogPipeServer*>(server)->serve();
}

void LogPipeServer::serve() {
  auto& [out, err] = sources_;
  for (;;) {
    begin_anew();
    struct pollfd ready[] = {
        {wake_, POLLIN, 0}, {out.fd, POLLIN, 0}, {err.fd, POLLIN, 0}};
    // EINTR: a fork of this process has stopped it for a moment.
    if (::poll(ready, 3, -1) == -1) continue;
    take_event(wake_);
    const int request = request_.exchange(kNone);
    bool any;
    do {
      any = read_some(out);
      any = read_some(err) || any;
      // Not until end of file: children may have the other ends.
    } while (any && request != kNone);
    if (request == kEnd) {
      out.lines.end();
      err.lines.end();
    }
    if (request != kNone) add_event(done_);
  }
}

// After a fork, in the child.
void LogPipeServer::begin_anew() {
  const Locked lock(reading_);
  if (serving_pid_ != pid_)
    for (Source& source : sources_) source.lines.drop();
  serving_pid_ = pid_;
}

// Whether there was anything.
bool LogPipeServer::read_some(Source& source) {
  static char buffer[kMostAtOnce];
  ssize_t length = -EAGAIN;
  {
    const Locked lock(reading_);
    if (source.fd >= 0 && pid_ == serving_pid_) {
      length = uninterrupted(
          [&] { return ::read(source.fd, buffer, sizeof buffer); });
      // The last one that could write has closed it, and there is no more.
      if (length != -EAGAIN && length <= 0) {
        close(source.fd);
        source.fd = -1;
      }
    }
  }
  if (length == -EAGAIN) return false;
  if (length > 0)
    source.lines.feed(buffer, static_cast<size_t>(length));
  else
    source.lines.end();
  return length > 0;
}

// While the log daemon reads, but too slowly, this thread waits, and those who
// write once the pipe is full. They do not wait for one that is stopped: the
// queue then drops what it must. What was read before a fork is the parent's.
void LogPipeServer::send_line(void* to, int, const std::string& line) noexcept {
  const auto* source = static_cast<const Source*>(to);
  const LogPipeServer& server = source->server;
  LogChannel* channel = server.channel_;
  while (!channel->sender.offer(channel, source->priority.load(), line.data(),
                                line.size(), server.serving_pid_)) {
    const struct timespec moment = {0, kRoomNanoseconds};
    ::nanosleep(&moment, nullptr);
  }
}

void LogPipeServer::wake() { add_event(wake_); }

void LogPipeServer::ask(Request request, int64_t milliseconds) {
  take_event(done_);
  request_.store(request);
  wake();
  const int64_t end = log_clock() + milliseconds;
  for (int64_t left; (left = end - log_clock()) > 0;) {
    struct pollfd ready = {done_, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(left));
    if (count > 0 || (count == -1 && errno != EINTR)) return;
  }
}

}  // namespace posix
