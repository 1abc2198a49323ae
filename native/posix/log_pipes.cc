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
#include "result.h"
#include "syslog.h"

namespace posix {

namespace {

// What a burst may have while the log daemon is behind. When the pipe is full,
// who writes to it waits.
constexpr int kLargestPipe = 1 << 20;
constexpr int kUsualPipe = 1 << 16;

// How long an exit waits for the last lines: a log daemon that does not read
// must not keep the process from ending.
constexpr int64_t kDrainMilliseconds = 1000;

// How long a fork waits for the line that is being sent. After that, because
// the log daemon does not read, both processes send it.
constexpr int64_t kForkMilliseconds = 100;

struct Source {
  int fd;
  Lines lines;
};

// Never freed: the thread may be blocked in syslog(3) when the process ends.
struct Server {
  int wake;  // eventfd: there is something to look at
  int done;  // eventfd: the pipes are drained
  Source sources[2];
  std::atomic<bool> ending;
  uv_mutex_t reading;  // held during a read, and across a fork
  uv_mutex_t sending;  // so during a syslog(3)
  bool sending_held;   // by who forks
  pid_t pid;           // whose pipes these are
};

Server* server = nullptr;

// As the thread knows it: in the child of a fork it is the parent's until the
// thread has let go of what it held.
pid_t serving_pid = 0;

// The one place that sends. syslog(3) waits while the log daemon is behind:
// this thread then waits, and nobody else until the pipes are full.
void send_line(int priority, const std::string& line) noexcept {
  uv_mutex_lock(&server->sending);
  // What was read before a fork is the parent's to send.
  if (::getpid() == serving_pid) syslog(priority, line);
  uv_mutex_unlock(&server->sending);
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
    const bool ending = server->ending.exchange(false);
    bool any;
    do {
      any = read_some(out);
      any = read_some(err) || any;
    } while (any && ending);
    // Not until end of file: children may have the other ends.
    if (!ending) continue;
    out.lines.end();
    err.lines.end();
    add_event(server->done);
  }
}

int64_t now() {
  struct timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * int64_t{1000} + time.tv_nsec / 1000000;
}

// At exit(3), after all of JavaScript, and after Node has printed an error that
// nobody caught.
void drain() {
  take_event(server->done);
  server->ending.store(true);
  add_event(server->wake);
  const int64_t end = now() + kDrainMilliseconds;
  for (int64_t left; (left = end - now()) > 0;) {
    struct pollfd ready = {server->done, POLLIN, 0};
    const int count = ::poll(&ready, 1, static_cast<int>(left));
    if (count > 0 || (count == -1 && errno != EINTR)) return;
  }
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

// By libuv, which Node brings: the C library's own function would ask for one
// of this year. The new thread blocks all signals, as this one does just then.
int start_thread() {
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  uv_thread_t thread;
  const int error = ::uv_thread_create(&thread, serve, nullptr);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return error;
}

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

int serve_log_pipes(int out, int err) noexcept {
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
  keep_log_off_stderr();
  server = new Server{
      wake,
      done,
      {{out, Lines(send_line, LOG_INFO)}, {err, Lines(send_line, LOG_ERR)}},
      {false},
      {},
      {},
      false,
      ::getpid()};
  error = uv_mutex_init(&server->reading);
  if (error == 0) error = uv_mutex_init(&server->sending);
  if (error == 0) error = start_thread();
  if (error == 0 && ::atexit(drain) != 0) error = -ENOMEM;
  return error;
}

void hold_log_pipes() noexcept {
  if (server == nullptr) return;
  uv_mutex_lock(&server->reading);
  const int64_t end = now() + kForkMilliseconds;
  while (uv_mutex_trylock(&server->sending) != 0) {
    if (now() >= end) return;
    const struct timespec moment = {0, 100000};
    ::nanosleep(&moment, nullptr);
  }
  server->sending_held = true;
}

void release_log_pipes() noexcept {
  if (server == nullptr) return;
  if (server->sending_held) uv_mutex_unlock(&server->sending);
  server->sending_held = false;
  uv_mutex_unlock(&server->reading);
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
