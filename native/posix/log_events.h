// An epoll that tells of every message that is read from a socket. It may be
// without one: then nothing is told.
//
// All epolls of a system are one file, so that nothing tells whose one is. What
// it watches does: who uses this knows that the socket is still the same, and
// who closes a range of descriptors has closed both.
#pragma once

namespace posix {

class LogEvents {
 public:
  int fd() const { return fd_; }

  void open(int socket) noexcept;
  // `own`: whether the socket is still the same.
  void close(int socket, bool own) noexcept;

  // Waits until a message is read, or the socket ends; ms at most. False, at
  // once, where nothing can tell.
  bool wait(int ms) noexcept;
  // Ends that, if the socket takes messages.
  void stir(int socket) const noexcept;

  // Around another socket that takes the number of this one.
  void unwatch(int socket) noexcept;
  void watch(int socket) noexcept;

 private:
  int fd_ = -1;
};

}  // namespace posix
