// The process as a whole: its file mode mask and root, its children, its end.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace posix {

unsigned umask(unsigned mask) noexcept;
int chroot(const std::string& path) noexcept;

// {pid, 0 with WNOHANG and nothing to report, or a negated errno; status}
std::array<int, 2> waitpid(int pid, int options) noexcept;

// Returns only a negated errno, and then has changed nothing.
int execvp(const std::string& file, const std::vector<std::string>& argv,
           const std::vector<std::string>& env) noexcept;

// Whether this process adopts the orphans among its descendants: prctl(2).
int set_subreaper(int on) noexcept;

[[noreturn]] void _exit(int status) noexcept;

}  // namespace posix
