// Processes, process groups and sessions: ids, or a negated errno.
#pragma once

namespace posix {

int getpid() noexcept;
int getppid() noexcept;
int getpgid(int pid) noexcept;
int setpgid(int pid, int pgid) noexcept;
int getsid(int pid) noexcept;
int setsid() noexcept;

}  // namespace posix
