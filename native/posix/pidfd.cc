#include "pidfd.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "result.h"

namespace posix {

namespace {

// The same on every CPU; the headers of older systems lack them.
constexpr long sys_pidfd_send_signal = 424;
constexpr long sys_pidfd_open = 434;

}  // namespace

int pidfd_open(int pid) noexcept {
  return static_cast<int>(result(::syscall(sys_pidfd_open, pid, 0)));
}

int pidfd_send_signal(int pidfd, int signal) noexcept {
  return static_cast<int>(
      result(::syscall(sys_pidfd_send_signal, pidfd, signal, nullptr, 0)));
}

double boottime() noexcept {
  timespec now;
  const int error = result(::clock_gettime(CLOCK_BOOTTIME, &now));
  if (error < 0) return error;
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace posix
