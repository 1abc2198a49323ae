// File descriptors. 0 or what the call returns, or a negated errno.
#pragma once

#include <array>
#include <vector>

namespace posix {

int dup2(int oldfd, int newfd) noexcept;
int close(int fd) noexcept;

// Closes every descriptor from lowfd on but those in except. A descriptor that
// reports an error is closed all the same; the first such error is returned.
int closefrom(int lowfd, const std::vector<int>& except) noexcept;

// 1, or 0 where LOCK_NB is set and another one has the lock.
int flock(int fd, int operation) noexcept;

// Whether the descriptor ends at exec(2).
int set_cloexec(int fd, int on) noexcept;

// {read end, write end}, or {negated errno, 0}, without close-on-exec.
std::array<double, 2> pipe() noexcept;

}  // namespace posix
