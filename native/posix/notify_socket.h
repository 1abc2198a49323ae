// The receiving end of sd_notify(3): a Unix datagram socket.
#pragma once

#include <string>
#include <tuple>

namespace posix {

// Binds a socket to a name in the abstract namespace, which a chroot does not
// hide and which goes with the socket; the kernel will tell who sends. Returns
// the descriptor, which has close-on-exec.
int open_notify_socket(const std::string& name) noexcept;

// The next message, without waiting: {0 or a negated errno, the text, the uid
// of the sender, or -1}. -EAGAIN: there is none. Descriptors that came with it
// are closed, which is what the sender of a BARRIER=1 waits for.
std::tuple<double, std::string, double> receive_notification(
    int socket) noexcept;

}  // namespace posix
