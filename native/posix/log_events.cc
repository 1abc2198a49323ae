#include "log_events.h"

#include <sys/epoll.h>

#include <cerrno>

#include "descriptors.h"
#include "result.h"

namespace posix {

namespace {

int control(int epoll, int operation, int socket) {
  // Edge-triggered: not that there is room, but that there is more.
  struct epoll_event event = {EPOLLOUT | EPOLLET, {}};
  event.data.fd = socket;
  return result(::epoll_ctl(epoll, operation, socket, &event));
}

}  // namespace

void LogEvents::open(int socket) noexcept {
  fd_ = result(::epoll_create1(EPOLL_CLOEXEC));
  if (fd_ < 0) return;
  watch(socket);
}

// What is not known to be the same stays open: it may be another's.
void LogEvents::close(int socket, bool own) noexcept {
  if (fd_ >= 0 && own && control(fd_, EPOLL_CTL_DEL, socket) == 0)
    posix::close(fd_);
  fd_ = -1;
}

bool LogEvents::wait(int ms) noexcept {
  if (fd_ < 0) return false;
  struct epoll_event event;
  return ::epoll_wait(fd_, &event, 1, ms) != -1 || errno == EINTR;
}

// It looks again at what it watches.
void LogEvents::stir(int socket) const noexcept {
  control(fd_, EPOLL_CTL_MOD, socket);
}

void LogEvents::unwatch(int socket) noexcept {
  control(fd_, EPOLL_CTL_DEL, socket);
}

void LogEvents::watch(int socket) noexcept {
  control(fd_, EPOLL_CTL_ADD, socket);
}

}  // namespace posix
