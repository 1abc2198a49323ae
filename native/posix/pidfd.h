// Other processes, by a descriptor that means one of them for good: a pid is
// given to another process later.
#pragma once

namespace posix {

// Closed on exec; readable once the process has ended. -ENOSYS before
// Linux 5.3.
int pidfd_open(int pid) noexcept;

int pidfd_send_signal(int pidfd, int signal) noexcept;

// Seconds since the machine was started, as the start times of processes count
// them; or a negated errno.
double boottime() noexcept;

}  // namespace posix
