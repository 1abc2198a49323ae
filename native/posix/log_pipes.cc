#include "log_pipes.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "descriptors.h"
#include "lines.h"
#include "log_sender.h"
#include "result.h"
#include "thread.h"

namespace posix {

namespace {

// What a burst may have while the log daemon is behind. When the pipe is full,
// who writes to it waits.
constexpr int kLargestPipe = 1 << 20;
constexpr int kUsualPipe = 1 << 16;

// How long an exit waits for the last lines: a log daemon that does not read
// must not keep the process from ending.
constexpr int64_t kDrainMilliseconds = 1000;

// How long who changes a priority waits for what was written before.
constexpr int64_t kSettleMilliseconds = 100;

// How long an abort waits for the queue to be sent, after the pipes are read.
constexpr long kAbortNanoseconds = 50000000;

// How long the thread waits for room in the queue before it looks again.
constexpr long kRoomNanoseconds = 1000000;

struct Source {
  int fd;
  std::atomic<int> priority;
  Lines lines;
};

// What the thread is asked to do before it says that it is done.
enum Request { kNone, kSettle, kEnd };

// Never freed: the thread uses it until the process is gone.
struct Server {
  int wake;  // eventfd: there is something to look at
  int done;  // eventfd: the request is
  Source sources[2];
  LogChannel* channel;
  std::atomic<int> request;
  uv_mutex_t reading;  // held during a read, and across a fork
  pid_t pid;           // whose pipes these are
};

Server* server = nullptr;

// As the thread knows it: in the child of a fork it is the parent's until the
// thread has let go of what it held.
pid_t serving_pid = 0;

// While the log daemon reads, but too slowly, this thread waits, and those who
// write once the pipe is full. They do not wait for one that is stopped: the
// queue then drops what it must. What was read before a fork is the parent's.
void send_line(void* to, int, const std::string& line) noexcept {
  const auto* source = static_cast<const Source*>(to);
  LogChannel* channel = server->channel;
  while (!channel->sender.offer(channel, source->priority.load(), line.data(),
                                line.size(), serving_pid)) {
    const struct timespec moment = {0, kRoomNanoseconds};
    ::nanosleep(&moment, nullptr);
  }
}

// Whether it had counted up; it is 0 afterwards.
bool take_event(int fd) {
  uint64_t count;
  return uninterrupted([&] { return ::read(fd, &count, sizeof count); }) > 0;
}

void add_event(int fd) {
  const uint64_t one = 1;
  uninterrupted([&] { return ::write(fd, &one, sizeof one); });
}

// Whether there was anything.
bool read_some(Source& source) {
  static char buffer[kUsualPipe];
  uv_mutex_lock(&server->reading);
  ssize_t length = -EAGAIN;
  if (source.fd >= 0 && server->pid == serving_pid) {
    length =
        uninterrupted([&] { return ::read(source.fd, buffer, sizeof buffer); });
    // The last one that could write has closed it, and there is no more.
    if (length != -EAGAIN && length <= 0) {
      close(source.fd);
      source.fd = -1;
    }
  }
  uv_mutex_unlock(&server->reading);
  if (length == -EAGAIN) return false;
  if (length > 0)
    source.lines.feed(buffer, static_cast<size_t>(length));
  else
    source.lines.end();
  return length > 0;
}

// After a fork, in the child.
void begin_anew() {
  uv_mutex_lock(&server->reading);
  if (serving_pid != server->pid)
    for (Source& source : server->sources) source.lines.drop();
  serving_pid = server->pid;
  uv_mutex_unlock(&server->reading);
}

void serve(void*) {
  ::prctl(PR_SET_NAME, "log-pipes");
  auto& [out, err] = server->sources;
  for (;;) {
    begin_anew();
    struct pollfd ready[] = {
        {server->wake, POLLIN, 0}, {out.fd, POLLIN, 0}, {err.fd, POLLIN, 0}};
    // EINTR: a fork of this process has stopped it for a moment.
    if (::poll(ready, 3, -1) == -1) continue;
    take_event(server->wake);
    const int request = server->request.exchange(kNone);
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
    if (request != kNone) add_event(server->done);
  }
}

void ask(Request request, int64_t milliseconds) {
  take_event(server->done);
  server->request.store(request);
  add_event(server->wake);
  const int64_t end = log_clock() + milliseconds;
  for (int64_t left; (left = end - log_clock()) > 0;) {
    struct pollfd ready = {server->done, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(left));
    if (count > 0 || (count == -1 && errno != EINTR)) return;
  }
}

// At exit(3), after all of JavaScript, and after Node has printed an error that
// nobody caught. The queue is drained after this.
void drain() { ask(kEnd, kDrainMilliseconds); }

// V8 aborts right after it has printed why, such as that no memory is left.
// Only what signal-safety(7) allows: this may have interrupted anything. Where
// the thread is stuck in a lock that is held here, both waits have an end.
void end_by_abort(int) {
  ask(kEnd, kSettleMilliseconds);
  const struct timespec moment = {0, kAbortNanoseconds};
  ::nanosleep(&moment, nullptr);
  ::raise(SIGABRT);
}

// A handler of the program's own is left alone.
int catch_abort() {
  struct sigaction action;
  if (::sigaction(SIGABRT, nullptr, &action) == -1) return -errno;
  if ((action.sa_flags & SA_SIGINFO) || action.sa_handler != SIG_DFL) return 0;
  action.sa_handler = end_by_abort;
  // The default action is back by then, so that the end and its core are those
  // of the abort.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_ONSTACK);
  ::sigemptyset(&action.sa_mask);
  return result(::sigaction(SIGABRT, &action, nullptr));
}

int set_nonblocking(int fd) {
  if (fd < 0) return 0;
  return result(::fcntl(fd, F_SETFL, O_NONBLOCK));
}

bool same_pipe(int fd, int other) {
  struct stat a, b;
  // glibc has a function for this only since 2.33.
  return ::syscall(SYS_fstat, fd, &a) == 0 &&
         ::syscall(SYS_fstat, other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

// In the child of a fork. Without descriptors left it writes to its parent's
// pipe.
void renew(Source& source) {
  const bool out = same_pipe(source.fd, STDOUT_FILENO);
  const bool err = same_pipe(source.fd, STDERR_FILENO);
  if (!out && !err) return;
  const auto [first, second] = open_log_pipe();
  const int read = static_cast<int>(first), write = static_cast<int>(second);
  if (read < 0) {
    close(source.fd);
    source.fd = -1;
    return;
  }
  set_nonblocking(read);
  // Under its number, which the thread may be about to wait for.
  ::dup3(read, source.fd, O_CLOEXEC);
  if (out) dup2(write, STDOUT_FILENO);
  if (err) dup2(write, STDERR_FILENO);
  close(read);
  close(write);
}

int make_event() { return result(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

}  // namespace

std::array<double, 2> open_log_pipe() noexcept {
  int ends[2];
  const int error = result(::pipe2(ends, O_CLOEXEC));
  if (error < 0) return {static_cast<double>(error), 0};
  // /proc/sys/fs/pipe-max-size may allow less, or the user have many pipes.
  for (int size = kLargestPipe; size > kUsualPipe; size /= 2)
    if (::fcntl(ends[1], F_SETPIPE_SZ, size) != -1) break;
  return {static_cast<double>(ends[0]), static_cast<double>(ends[1])};
}

int serve_log_pipes(int out, int err, LogChannel* channel) noexcept {
  if (server != nullptr) return -EALREADY;
  int error = set_nonblocking(out);
  if (error == 0) error = set_nonblocking(err);
  if (error < 0) return error;
  const int wake = make_event();
  if (wake < 0) return wake;
  const int done = make_event();
  if (done < 0) {
    close(wake);
    return done;
  }
  channel->sender.keep(channel);
  const size_t piece = channel->options.piece;
  server =
      new Server{wake,
                 done,
                 {{out, {LOG_INFO}, Lines(send_line, nullptr, LOG_INFO, piece)},
                  {err, {LOG_ERR}, Lines(send_line, nullptr, LOG_ERR, piece)}},
                 channel,
                 {kNone},
                 {},
                 ::getpid()};
  for (Source& source : server->sources)
    source.lines = Lines(send_line, &source, 0, piece);
  error = uv_mutex_init(&server->reading);
  if (error == 0) error = start_thread(serve, nullptr);
  if (error == 0 && ::atexit(drain) != 0) error = -ENOMEM;
  if (error == 0) error = catch_abort();
  return error;
}

void settle_log_pipes() noexcept {
  if (server != nullptr) ask(kSettle, kSettleMilliseconds);
}

void set_log_pipe_priority(int fd, int priority) noexcept {
  if (server == nullptr || (fd != STDOUT_FILENO && fd != STDERR_FILENO)) return;
  settle_log_pipes();
  server->sources[fd - STDOUT_FILENO].priority.store(priority);
}

void hold_log_pipes() noexcept {
  if (server != nullptr) uv_mutex_lock(&server->reading);
}

void release_log_pipes() noexcept {
  if (server != nullptr) uv_mutex_unlock(&server->reading);
}

void renew_log_pipes() noexcept {
  if (server == nullptr) return;
  for (Source& source : server->sources)
    if (source.fd >= 0) renew(source);
  server->pid = ::getpid();
  release_log_pipes();
  // The thread may wait for the parent's pipes.
  add_event(server->wake);
}

}  // namespace posix
