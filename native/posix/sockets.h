// Sockets.
#pragma once

#include <array>

namespace posix {

// {address family of the socket, or a negated errno; 1 if it has a local
// address}. A socket of socketpair() has none.
std::array<int, 2> getsockname(int fd) noexcept;

}  // namespace posix
