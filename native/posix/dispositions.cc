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

int reset_signals() noexcept {
  for (int signal = SIGRTMIN; signal <= SIGRTMAX; ++signal) {
    struct sigaction action = {};
    if (::sigaction(signal, nullptr, &action) == -1) return result(-1);
    if (action.sa_handler != SIG_IGN) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    if (::sigaction(signal, &action, nullptr) == -1) return result(-1);
  }
  sigset_t none;
  sigemptyset(&none);
  // On Linux that of the calling thread, like pthread_sigmask(), which needs a
  // newer glibc.
  return result(::sigprocmask(SIG_SETMASK, &none, nullptr));
}

}  // namespace posix
