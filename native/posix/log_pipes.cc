#include "log_pipes.h"

#include <fcntl.h>
#include <unistd.h>

#include "log_pipe_server.h"
#include "log_sender.h"
#include "result.h"

namespace posix {

namespace {

// What a burst may have while the log daemon is behind. When the pipe is full,
// who writes to it waits.
constexpr int kLargestPipe = 1 << 20;
constexpr int kUsualPipe = 1 << 16;

LogPipeServer* server = nullptr;

int set_nonblocking(int fd) {
  if (fd < 0) return 0;
  return result(::fcntl(fd, F_SETFL, O_NONBLOCK));
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

int serve_log_pipes(int out, int err, LogChannel* channel) noexcept {
  if (server != nullptr) return -EALREADY;
  int error = set_nonblocking(out);
  if (error == 0) error = set_nonblocking(err);
  if (error < 0) return error;
  auto* made = new LogPipeServer(out, err, channel);
  error = made->start();
  if (error < 0) {
    delete made;
    return error;
  }
  server = made;
  channel->sender.keep(channel);
  return server->drain_at_end();
}

void settle_log_pipes() noexcept {
  if (server != nullptr) server->settle();
}

void end_log_lines() noexcept {
  if (server != nullptr) server->end_lines();
}

void list_log_pipes(std::vector<int>& fds) noexcept {
  if (server != nullptr) server->list_fds(fds);
}

void set_log_pipe_priority(int fd, int priority) noexcept {
  if (server == nullptr || (fd != STDOUT_FILENO && fd != STDERR_FILENO)) return;
  server->set_priority(fd - STDOUT_FILENO, priority);
}

void hold_log_pipes() noexcept {
  if (server != nullptr) server->hold();
}

void release_log_pipes() noexcept {
  if (server != nullptr) server->release();
}

void renew_log_pipes() noexcept {
  if (server != nullptr) server->renew();
}

}  // namespace posix
