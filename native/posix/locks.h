// Locks on a part of a file that belong to the open file (F_OFD_*), not to the
// process: a fork shares them, the last close ends them. A length of 0 is to
// the end of the file, however long it will be.
#pragma once

#include <array>

namespace posix {

// 1, or 0 where another one has a lock there.
int lock_range(int fd, double start, double length) noexcept;

int unlock_range(int fd, double start, double length) noexcept;

// What would keep others from reading: {1, pid, length} of the first such lock,
// {0} where there is none, or {negated errno}. The pid is -1 for a lock of an
// open file, 0 for one of a process of which this PID namespace knows nothing.
std::array<double, 3> find_lock(int fd) noexcept;

}  // namespace posix
