// What the kernel does with a signal, for the whole process.
#pragma once

namespace posix {

enum Disposition { by_default = 0, ignored = 1, caught = 2 };

// A Disposition, or a negated errno.
int disposition(int signal) noexcept;

// Sets by_default or ignored and returns the Disposition before.
int signal(int signal, int disposition) noexcept;

// The first real-time signal that the C library leaves to programs.
int sigrtmin() noexcept;

}  // namespace posix
