// Resource limits, as JavaScript numbers: infinity for RLIM_INFINITY.
#pragma once

#include <array>

namespace posix {

// {0, or a negated errno; soft limit; hard limit}
std::array<double, 3> getrlimit(int resource) noexcept;

// A negative limit is one that stays as it is. 0, or a negated errno.
int setrlimit(int resource, double soft, double hard) noexcept;

}  // namespace posix
