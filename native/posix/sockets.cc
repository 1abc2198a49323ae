#include "sockets.h"

#include <sys/socket.h>

#include "result.h"

namespace posix {

std::array<int, 2> getsockname(int fd) noexcept {
  // Without an address the length is that of the family alone.
  struct sockaddr_storage address = {};
  socklen_t length = sizeof address;
  const int got = result(
      ::getsockname(fd, reinterpret_cast<struct sockaddr*>(&address), &length));
  if (got < 0) return {got, 0};
  return {address.ss_family, length > sizeof address.ss_family};
}

}  // namespace posix
