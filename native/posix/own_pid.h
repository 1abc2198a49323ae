// The pid, without a system call.
#pragma once

#include <sys/types.h>

namespace posix {

// As getpid(), after any fork: also one that this package knows nothing of.
pid_t own_pid() noexcept;

}  // namespace posix
