#include "session.h"

#include <unistd.h>

#include "result.h"

namespace posix {

int getpid() noexcept { return ::getpid(); }

int getppid() noexcept { return ::getppid(); }

int getpgid(int pid) noexcept { return result(::getpgid(pid)); }

int setpgid(int pid, int pgid) noexcept { return result(::setpgid(pid, pgid)); }

int getsid(int pid) noexcept { return result(::getsid(pid)); }

int setsid() noexcept { return result(::setsid()); }

}  // namespace posix
