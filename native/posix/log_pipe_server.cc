#include "log_pipe_server.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
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

// How much is read at once: who asks waits until it is queued.
constexpr size_t kMostAtOnce = 1 << 12;

// How long the thread waits for room in the queue before it looks again.
constexpr long kRoomNanoseconds = 1000000;

// How long who asks waits before it looks again.
constexpr long kDoneNanoseconds = 50000;

void rest(long nanoseconds) {
  const struct timespec moment = {0, nanoseconds};
  ::nanosleep(&moment, nullptr);
}

}  // namespace

void LogPipeServer::Own::set(int number) noexcept {
  fd = number;
  if (fd >= 0 && !identify(fd, identity)) fd = -1;
}

bool LogPipeServer::Own::is_ours() const noexcept {
  FileIdentity now;
  return fd >= 0 && identify(fd, now) && now == identity;
}

LogPipeServer::Source::Source(LogPipeServer& server, int fd,
                              int priority) noexcept
    : server(server),
      priority(priority),
      lines(send_line, this, 0, server.channel_->options.piece) {
  pipe.set(fd);
}

LogPipeServer::LogPipeServer(int out, int err, LogChannel* channel) noexcept
    : channel_(channel),
      sources_{{*this, out, LOG_INFO}, {*this, err, LOG_ERR}},
      pid_(::getpid()) {}

LogPipeServer::~LogPipeServer() {
  if (woken_.fd >= 0) close(woken_.fd);
  if (waking_.fd >= 0) close(waking_.fd);
}

int LogPipeServer::start() noexcept {
  int ends[2];
  int error = result(::pipe2(ends, O_CLOEXEC | O_NONBLOCK));
  if (error < 0) return error;
  woken_.set(ends[0]);
  waking_.set(ends[1]);
  error = uv_mutex_init(&reading_);
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
    struct pollfd ready[] = {{woken_.number(), POLLIN, 0},
                             {out.pipe.number(), POLLIN, 0},
                             {err.pipe.number(), POLLIN, 0}};
    // EINTR: a fork of this process has stopped it for a moment.
    if (::poll(ready, 3, -1) == -1) continue;
    char wakes[16];
    if (woken_.is_ours())
      uninterrupted([&] { return ::read(woken_.fd, wakes, sizeof wakes); });
    const int request = request_.exchange(0);
    if (request == 0) {
      read_some(out);
      read_some(err);
      continue;
    }
    if (request & kOut) read_what_is_there(out);
    if (request & kErr) read_what_is_there(err);
    if (request & kEnd) {
      out.lines.end();
      err.lines.end();
    }
    done_.store(true);
  }
}

// After a fork, in the child.
void LogPipeServer::begin_anew() {
  const Locked lock(reading_);
  if (serving_pid_ != pid_)
    for (Source& source : sources_) source.lines.drop();
  serving_pid_ = pid_;
}

// Who asks does not wait for what others write meanwhile, nor for the end of
// the pipe: children may have the other end.
void LogPipeServer::read_what_is_there(Source& source) {
  int left = 0;
  if (source.pipe.is_ours()) ::ioctl(source.pipe.fd, FIONREAD, &left);
  for (ssize_t length; left > 0 && (length = read_some(source)) > 0;)
    left -= static_cast<int>(length);
}

// How much there was.
ssize_t LogPipeServer::read_some(Source& source) {
  static char buffer[kMostAtOnce];
  ssize_t length = -EAGAIN;
  {
    const Locked lock(reading_);
    if (source.pipe.is_ours() && pid_ == serving_pid_) {
      length = uninterrupted(
          [&] { return ::read(source.pipe.fd, buffer, sizeof buffer); });
      // The last one that could write has closed it, and there is no more.
      if (length != -EAGAIN && length <= 0) {
        close(source.pipe.fd);
        source.pipe.fd = -1;
      }
    }
  }
  if (length == -EAGAIN) return 0;
  if (length > 0)
    source.lines.feed(buffer, static_cast<size_t>(length));
  else
    source.lines.end();
  return length;
}

// While the log daemon reads, but too slowly, this thread waits, and those who
// write once the pipe is full. They do not wait for one that is stopped: the
// queue then drops what it must. What was read before a fork is the parent's.
void LogPipeServer::send_line(void* to, int, const std::string& line) noexcept {
  const auto* source = static_cast<const Source*>(to);
  const LogPipeServer& server = source->server;
  LogChannel* channel = server.channel_;
  while (!channel->sender.offer(channel, source->priority.load(), line.data(),
                                line.size(), server.serving_pid_))
    rest(kRoomNanoseconds);
}

void LogPipeServer::wake() {
  if (waking_.is_ours())
    uninterrupted([&] { return ::write(waking_.fd, "", 1); });
}

// No lock: end_by_abort() may have interrupted anything.
void LogPipeServer::ask(int request, int64_t milliseconds) {
  done_.store(false);
  request_.store(request);
  wake();
  const int64_t end = log_clock() + milliseconds;
  while (!done_.load() && log_clock() < end) rest(kDoneNanoseconds);
}

void LogPipeServer::list_fds(std::vector<int>& fds) const noexcept {
  for (const int fd :
       {woken_.fd, waking_.fd, sources_[0].pipe.fd, sources_[1].pipe.fd})
    fds.push_back(fd);
}

}  // namespace posix
