// Who the process is, for the kernel, in every thread of it.
#pragma once

#include <string>
#include <tuple>
#include <vector>

namespace posix {

// By the C library, which has every thread make the call. 0 or a negated errno;
// an id of 0xffffffff stays as it is.
int setgroups(const std::vector<unsigned>& groups) noexcept;
int setresgid(unsigned real, unsigned effective, unsigned saved) noexcept;
int setresuid(unsigned real, unsigned effective, unsigned saved) noexcept;

// A descriptor that leads to /proc, also out of a later chroot.
int open_proc() noexcept;

// {0, or a negated errno; the text of /proc/self/task/TID/status of each
// thread}
using Statuses = std::tuple<int, std::vector<std::string>>;
Statuses thread_statuses(int proc) noexcept;

// Empties the capability sets of every thread, but the bounding set. A thread
// that could not be reached within `deadline` ms keeps its own. 0 or a negated
// errno.
int drop_capabilities(int proc, int deadline) noexcept;

// Whether the process may leave a core dump, or be traced by its own user.
int set_dumpable(int dumpable) noexcept;

}  // namespace posix
