// The way to a log daemon: a connected socket that never blocks.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "file_identity.h"
#include "log_events.h"

namespace posix {

// Its descriptors are numbers like all others: a program that closes them all,
// as daemons in C do, closes these too, and gets them for what it opens next.
// So it is looked at before each use whether they are still the same.
class LogSocket {
 public:
  explicit LogSocket(const std::string& path);

  // A datagram socket, or a stream where the log daemon has one. 0, or a
  // negated errno.
  int connect() noexcept;
  void disconnect() noexcept;
  bool connected() const { return fd_ >= 0; }
  // False where somebody else has closed it: there is nothing to be done with
  // it but to disconnect.
  bool is_own() const noexcept;
  // The numbers it has, or -1.
  std::array<int, 2> fds() const { return {fd_, events_.fd()}; }

  // 0, or a negated errno: EAGAIN and ENOBUFS for now, or where it is not
  // is_own(), EMSGSIZE for this one, others where there is nobody any more.
  // `text` is followed by a NUL.
  int send(const char* text, size_t size) noexcept;

  // What the kernel counts for what was sent and nobody has read; or a negated
  // errno.
  int unread() const noexcept;
  // What it will count for a message of that size, learnt from a socket of the
  // same kind that nobody reads; 0 where that fails.
  uint32_t charge(size_t size) noexcept;

  enum class Peer {
    kThere,
    kGone,
    kUnknown,     // for now
    kOutOfReach,  // for ever: this process has another root
  };
  // Whether the log daemon that this is connected to still has its socket open.
  // What a look at unread() said before is true if so: at the end of a socket
  // the kernel throws away what is in it.
  Peer look_for_peer() noexcept;

  // Waits until a message is read, or for ms. False where that cannot be told.
  bool wait(int ms) noexcept;
  // Ends that, from another thread, if there is room for a message.
  void stir() const noexcept;
  // After wait() was false.
  void watch_again() noexcept;

  // In the child of a fork, which shares the parent's socket until then: a
  // connection of its own, under the same number. False: it has to go on with
  // the parent's.
  bool renew() noexcept;

 private:
  int reach() noexcept;
  int open(int type, int& made) noexcept;

  struct sockaddr_un address_ = {};
  socklen_t length_ = 0;
  int fd_ = -1;
  FileIdentity identity_;
  LogEvents events_;
  bool stream_ = false;
  size_t rest_ = 0;  // of a message that a stream took in part
  // Where the socket is in the file system, and the root it is seen from.
  FileIdentity place_, root_;
  // Sizes to what they are charged; a pair of sockets to learn it.
  uint32_t* charges_ = nullptr;
  size_t known_ = 0;
  bool charged_stream_ = false;
};

}  // namespace posix
