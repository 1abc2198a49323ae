#include "forkall/launcher.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "forkall/kernel.h"
#include "forkall/threads.h"

namespace forkall {

namespace {

// Ctrl-C ends a launcher that waits; the program's handlers cannot run here.
void let_through(const int* signals, int count) {
  uint64_t mask = ~0ull;
  for (int i = 0; i < count; ++i) {
    SignalAction action = {}, ignored = {};
    sys(SYS_rt_sigaction, signals[i], nullptr, &ignored, sizeof action.mask);
    if (ignored.handler != (void*)SIG_IGN)
      sys(SYS_rt_sigaction, signals[i], &action, nullptr, sizeof action.mask);
    mask &= ~(1ull << (signals[i] - 1));
  }
  sys(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

}  // namespace

void leave_with(int channel) {
  static const int kSignals[] = {SIGINT, SIGQUIT, SIGTERM};
  static const char kSilent[] =
      "posix-daemonize: the daemon ended before it was ready\n";
  let_through(kSignals, 3);
  unsigned char status = 1;
  if (read_all(channel, &status, 1) != 1)
    write_all(STDERR_FILENO, kSilent, sizeof kSilent - 1);
  char text[4096];
  for (long length; (length = sys(SYS_read, channel, text, sizeof text)) > 0;)
    if (failed(write_all(STDERR_FILENO, text, (size_t)length))) break;
  sys(SYS_exit_group, status);
  __builtin_unreachable();
}

}  // namespace forkall
