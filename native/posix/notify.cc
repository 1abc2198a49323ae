#include "notify.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "descriptors.h"
#include "result.h"

namespace posix {

namespace {

// SCM_MAX_FD of the kernel, which has no header for programs.
constexpr size_t max_fds = 253;

struct Address {
  sockaddr_un socket = {};
  socklen_t length = 0;
};

int read_address(const std::string& text, Address& address) {
  const bool abstract = text[0] == '@';
  // A path ends with a NUL, an abstract name where it ends.
  const size_t size = text.size() + (abstract ? 0 : 1);
  if (size > sizeof address.socket.sun_path) return -ENAMETOOLONG;
  address.socket.sun_family = AF_UNIX;
  std::memcpy(address.socket.sun_path, text.data(), text.size());
  if (abstract) address.socket.sun_path[0] = '\0';
  address.length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  return 0;
}

int set_patience(int socket, int milliseconds) {
  timeval patience = {};
  patience.tv_sec = milliseconds / 1000;
  patience.tv_usec = milliseconds % 1000 * 1000;
  return result(::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience,
                             sizeof patience));
}

int send(int socket, Address& address, const std::string& message,
         const std::vector<int>& fds) {
  iovec text = {const_cast<char*>(message.data()), message.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_fds)] = {};
  msghdr datagram = {};
  datagram.msg_name = &address.socket;
  datagram.msg_namelen = address.length;
  datagram.msg_iov = &text;
  datagram.msg_iovlen = 1;
  if (!fds.empty()) {
    const size_t size = sizeof(int) * fds.size();
    datagram.msg_control = control;
    datagram.msg_controllen = CMSG_SPACE(size);
    cmsghdr* header = CMSG_FIRSTHDR(&datagram);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(size);
    std::memcpy(CMSG_DATA(header), fds.data(), size);
  }
  const auto sent =
      uninterrupted([&] { return ::sendmsg(socket, &datagram, MSG_NOSIGNAL); });
  return sent < 0 ? static_cast<int>(sent) : 0;
}

}  // namespace

std::array<int, 2> notify(const std::string& address,
                          const std::string& message,
                          const std::vector<int>& fds, int patience) noexcept {
  Address to;
  const int wrong = read_address(address, to);
  if (wrong < 0) return {wrong, notify_sendmsg};
  if (fds.size() > max_fds) return {-EINVAL, notify_sendmsg};

  const int socket = result(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket < 0) return {socket, notify_socket};
  NotifyCall call = notify_setsockopt;
  int error = set_patience(socket, patience);
  if (error == 0) {
    call = notify_sendmsg;
    error = send(socket, to, message, fds);
  }
  const int closed = close(socket);
  return {error < 0 ? error : closed, call};
}

}  // namespace posix
