#include "posix/dispositions.h"

#include <signal.h>

#include <cerrno>

#include "result.h"

namespace posix {

namespace {
struct sigaction aside[NSIG];
}

int set_aside(int signal) noexcept {
  if (signal < 1 || signal >= NSIG) return -EINVAL;
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  return result(::sigaction(signal, &ignore, &aside[signal]));
}

int give_back(int signal) noexcept {
  if (signal < 1 || signal >= NSIG) return -EINVAL;
  return result(::sigaction(signal, &aside[signal], nullptr));
}

int unblock_signals() noexcept {
  sigset_t none;
  sigemptyset(&none);
  // On Linux that of the calling thread, like pthread_sigmask(), which needs a
  // newer glibc.
  return result(::sigprocmask(SIG_SETMASK, &none, nullptr));
}

}  // namespace posix
