#include "notify_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "descriptors.h"
#include "result.h"

namespace posix {

namespace {

// NOTIFY_BUFFER_MAX of systemd: a longer message is cut.
constexpr size_t longest = 4096;
// SCM_MAX_FD of the kernel, which has no header for programs.
constexpr size_t max_fds = 253;

void close_all(const cmsghdr* header) {
  const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (size_t i = 0; i < count; i++) {
    int fd;
    std::memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
    close(fd);
  }
}

double sender_of(const cmsghdr* header) {
  ucred sender;
  std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
  return sender.uid;
}

}  // namespace

int open_notify_socket(const std::string& name) noexcept {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // The first byte of an abstract name is a NUL.
  if (name.size() >= sizeof address.sun_path) return -ENAMETOOLONG;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int socket = result(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (socket < 0) return socket;
  const int on = 1;
  int error =
      result(::setsockopt(socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
  if (error == 0)
    error = result(
        ::bind(socket, reinterpret_cast<const sockaddr*>(&address), length));
  if (error == 0) return socket;
  close(socket);
  return error;
}

std::tuple<double, std::string, double> receive_notification(
    int socket) noexcept {
  char text[longest];
  iovec data = {text, sizeof text};
  alignas(cmsghdr) char
      control[CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(sizeof(int) * max_fds)];
  msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const auto length = uninterrupted([&] {
    return ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  });
  if (length < 0) return {static_cast<double>(length), std::string(), -1};
  double sender = -1;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_RIGHTS) close_all(header);
    if (header->cmsg_type == SCM_CREDENTIALS) sender = sender_of(header);
  }
  return {0, std::string(text, static_cast<size_t>(length)), sender};
}

}  // namespace posix
