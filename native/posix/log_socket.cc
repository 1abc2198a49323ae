#include "log_socket.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "descriptors.h"
#include "result.h"

namespace posix {

namespace {

constexpr int kFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;

int count_unread(int fd) {
  int count = 0;
  const int error = result(::ioctl(fd, SIOCOUTQ, &count));
  return error < 0 ? error : count;
}

uint32_t learn_charge(int type, size_t size) {
  int pair[2];
  if (::socketpair(AF_UNIX, type | kFlags, 0, pair) != 0) return 0;
  uint32_t charge = 0;
  void* nothing = std::calloc(1, size);
  if (nothing != nullptr && ::send(pair[0], nothing, size, MSG_NOSIGNAL) ==
                                static_cast<ssize_t>(size))
    charge = static_cast<uint32_t>(std::max(count_unread(pair[0]), 0));
  std::free(nothing);
  close(pair[0]);
  close(pair[1]);
  return charge;
}

}  // namespace

LogSocket::LogSocket(const std::string& path) {
  address_.sun_family = AF_UNIX;
  const size_t size = std::min(path.size(), sizeof address_.sun_path - 1);
  std::memcpy(address_.sun_path, path.data(), size);
  length_ =
      static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + size + 1);
}

int LogSocket::open(int type, int& made) noexcept {
  const int fd = result(::socket(AF_UNIX, type | kFlags, 0));
  if (fd < 0) return fd;
  const int error = uninterrupted([&] {
    return ::connect(fd, reinterpret_cast<sockaddr*>(&address_), length_);
  });
  if (error < 0) {
    close(fd);
    return error;
  }
  made = fd;
  return 0;
}

int LogSocket::reach() noexcept {
  // Before the connection: one that is newer shows at the first look.
  if (!identify(address_.sun_path, place_) || !identify("/", root_))
    return -ENOENT;
  bool stream = false;
  int fd = -1;
  int error = open(SOCK_DGRAM, fd);
  if (error == -EPROTOTYPE) {
    stream = true;
    error = open(SOCK_STREAM, fd);
  }
  if (error < 0) return error;
  fd_ = fd;
  identify(fd, identity_);
  stream_ = stream;
  rest_ = 0;
  return 0;
}

int LogSocket::connect() noexcept {
  const int error = reach();
  if (error == 0) events_.open(fd_);
  return error;
}

bool LogSocket::is_own() const noexcept {
  FileIdentity found;
  return fd_ >= 0 && identify(fd_, found) && found == identity_;
}

void LogSocket::disconnect() noexcept {
  const bool own = is_own();
  events_.close(fd_, own);
  if (own) close(fd_);
  fd_ = -1;
  rest_ = 0;
}

int LogSocket::send(const char* text, size_t size) noexcept {
  if (!is_own()) return -EAGAIN;
  // In a stream the NUL is what ends a message.
  size_t left = size + (stream_ ? 1 : 0);
  const size_t whole = left;
  if (rest_ > 0) left = rest_;
  const auto sent = uninterrupted(
      [&] { return ::send(fd_, text + (whole - left), left, MSG_NOSIGNAL); });
  if (sent < 0) return static_cast<int>(sent);
  left -= static_cast<size_t>(sent);
  rest_ = stream_ ? left : 0;
  return rest_ > 0 ? -EAGAIN : 0;
}

int LogSocket::unread() const noexcept {
  return is_own() ? count_unread(fd_) : -EBADF;
}

uint32_t LogSocket::charge(size_t size) noexcept {
  if (stream_) ++size;
  if (charged_stream_ != stream_) {
    std::free(charges_);
    charges_ = nullptr;
    known_ = 0;
    charged_stream_ = stream_;
  }
  if (size >= known_) {
    const size_t more = std::max(size + 1, known_ * 2);
    auto* charges =
        static_cast<uint32_t*>(std::realloc(charges_, more * sizeof(uint32_t)));
    if (charges == nullptr) return 0;
    std::memset(charges + known_, 0, (more - known_) * sizeof(uint32_t));
    charges_ = charges;
    known_ = more;
  }
  uint32_t& charge = charges_[size];
  if (charge == 0)
    charge = learn_charge(stream_ ? SOCK_STREAM : SOCK_DGRAM, size);
  return charge;
}

LogSocket::Peer LogSocket::look_for_peer() noexcept {
  if (!is_own()) return Peer::kUnknown;
  if (stream_) {
    struct pollfd state = {fd_, 0, 0};
    if (::poll(&state, 1, 0) < 0) return Peer::kUnknown;
    return state.revents == 0 ? Peer::kThere : Peer::kGone;
  }
  FileIdentity place;
  // Below another root there may be no such path, or another log daemon's.
  if (!identify("/", place) || !(place == root_)) return Peer::kOutOfReach;
  // To the socket that it is connected to already, this changes nothing. One
  // that is closed, or about to be, refuses.
  const int error = uninterrupted([&] {
    return ::connect(fd_, reinterpret_cast<sockaddr*>(&address_), length_);
  });
  if (error == -ECONNREFUSED || error == -EPROTOTYPE) return Peer::kGone;
  if (error < 0 || !identify(address_.sun_path, place)) return Peer::kUnknown;
  return place == place_ ? Peer::kThere : Peer::kGone;
}

bool LogSocket::wait(int ms) noexcept {
  // At once: there is something to be done.
  return !is_own() || events_.wait(ms);
}

void LogSocket::stir() const noexcept {
  if (is_own()) events_.stir(fd_);
}

void LogSocket::watch_again() noexcept { events_.open(fd_); }

bool LogSocket::renew() noexcept {
  if (!is_own()) {
    disconnect();
    return true;
  }
  const int shared = fd_;
  // By its number the new epoll knows the parent's socket.
  events_.unwatch(shared);
  const bool renewed = reach() == 0;
  if (renewed) {
    // Whoever waits for it knows the number.
    if (uninterrupted([&] { return ::dup3(fd_, shared, O_CLOEXEC); }) < 0) {
      close(shared);
    } else {
      close(fd_);
      fd_ = shared;
    }
  }
  events_.watch(fd_);
  return renewed;
}

}  // namespace posix
