#include "signals.h"

#include <csignal>

#include "result.h"

namespace posix {

namespace {

int exchange(int signal, const struct sigaction* action) {
  struct sigaction before;
  if (::sigaction(signal, action, &before) == -1) return result(-1);
  if (before.sa_flags & SA_SIGINFO) return caught;
  if (before.sa_handler == SIG_DFL) return by_default;
  return before.sa_handler == SIG_IGN ? ignored : caught;
}

}  // namespace

int disposition(int signal) noexcept { return exchange(signal, nullptr); }

int signal(int signal, int disposition) noexcept {
  struct sigaction action = {};
  action.sa_handler = disposition == ignored ? SIG_IGN : SIG_DFL;
  return exchange(signal, &action);
}

int sigrtmin() noexcept { return SIGRTMIN; }

}  // namespace posix
