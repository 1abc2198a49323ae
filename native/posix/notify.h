// The datagram of sd_notify(3).
#pragma once

#include <array>
#include <string>
#include <vector>

namespace posix {

// The calls that notify() makes.
enum NotifyCall { notify_socket, notify_setsockopt, notify_sendmsg };

// Sends `message` and duplicates of `fds` to a Unix socket: a path, or '@' and
// an abstract name. Where its queue is full it waits, for `patience` ms.
// {0 or a negated errno, the NotifyCall that failed}
std::array<int, 2> notify(const std::string& address,
                          const std::string& message,
                          const std::vector<int>& fds, int patience) noexcept;

}  // namespace posix
