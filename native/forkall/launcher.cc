#include "forkall/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "forkall/kernel.h"
#include "forkall/text.h"
#include "forkall/threads.h"

namespace forkall {

namespace {

constexpr uint64_t kMillisecond = 1000000, kSecond = 1000 * kMillisecond;
// From SIGTERM to SIGKILL, and from a failure's message to the daemon's end.
constexpr uint64_t kGrace = 5 * kSecond;
constexpr long kPidfdOpen = 434;  // the same number on every CPU
constexpr int kFailure = 1, kBySignal = 128;

uint64_t bit(int signal) { return 1ull << (signal - 1); }

bool is_ignored(int signal) {
  SignalAction action = {};
  sys(SYS_rt_sigaction, signal, nullptr, &action, sizeof action.mask);
  return action.handler == (void*)SIG_IGN;
}

void set_default(int signal) {
  const SignalAction action = {};
  sys(SYS_rt_sigaction, signal, &action, nullptr, sizeof action.mask);
}

class Launcher {
 public:
  explicit Launcher(const Launch& launch);
  [[noreturn]] void wait();

 private:
  enum Event { kWord, kGone, kSignal, kLate };
  Event next(uint64_t deadline);
  bool take_word();
  [[noreturn]] void leave_as_told(unsigned char status);
  [[noreturn]] void leave_as_daemon();
  [[noreturn]] void leave_by(int signal);
  [[noreturn]] void leave_late();
  void await_end(bool ask);
  int reap();
  void print(Text& text) { write_all(STDERR_FILENO, text.bytes, text.length); }

  Launch launch_;
  int process_ = -1;  // a pidfd of the daemon
  int signals_ = -1;
};

// The program's handlers cannot run here: signals are read from a descriptor,
// but those that stop and continue a job do so.
Launcher::Launcher(const Launch& launch) : launch_(launch) {
  if (launch_.ready_ns) process_ = (int)sys(kPidfdOpen, launch_.daemon, 0);
  uint64_t mask = ~0ull, read = 0;
  static const int kEnding[] = {SIGINT, SIGQUIT, SIGTERM};
  static const int kJob[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT};
  for (const int signal : kEnding)
    if (!is_ignored(signal)) read |= bit(signal);
  for (const int signal : kJob) {
    if (!is_ignored(signal)) set_default(signal);
    mask &= ~bit(signal);
  }
  signals_ = (int)sys(SYS_signalfd4, -1, &read, sizeof read, O_CLOEXEC);
  sys(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

Launcher::Event Launcher::next(uint64_t deadline) {
  for (;;) {
    struct pollfd fds[] = {{launch_.channel, POLLIN, 0},
                           {process_, POLLIN, 0},
                           {signals_, POLLIN, 0}};
    const uint64_t time = now();
    if (deadline && time >= deadline) return kLate;
    const uint64_t left = deadline - time;
    const struct timespec limit = {(time_t)(left / kSecond),
                                   (long)(left % kSecond)};
    const long count =
        sys(SYS_ppoll, fds, 3, deadline ? &limit : nullptr, nullptr, 8);
    if (count <= 0) continue;
    if (fds[2].revents) return kSignal;
    if (fds[0].revents) return kWord;
    return kGone;
  }
}

void Launcher::wait() {
  uint64_t deadline = 0;
  if (launch_.ready_ns) {
    deadline = now() + launch_.ready_ns;
    if (deadline < launch_.ready_ns) deadline = 0;  // for ever
  }
  for (;;) {
    switch (next(deadline)) {
      case kWord:
        if (take_word()) continue;
        // End of file from a daemon that lives: its program closed it.
        sys(SYS_close, launch_.channel);
        launch_.channel = -1;
        if (process_ < 0) leave_as_daemon();
        continue;
      case kGone:
        // What it said last may have come after the look at the channel.
        if (launch_.channel >= 0) take_word();
        leave_as_daemon();
      case kSignal: {
        struct {
          uint32_t number;
          char rest[124];
        } signal = {};
        if (sys(SYS_read, signals_, &signal, sizeof signal) > 0)
          leave_by((int)signal.number);
        continue;
      }
      case kLate:
        leave_late();
    }
  }
}

// Returns false at the end of file; a word ends the process.
bool Launcher::take_word() {
  unsigned char status;
  const long length = sys(SYS_read, launch_.channel, &status, 1);
  if (length == 1) leave_as_told(status);
  return length == -EINTR || length == -EAGAIN;
}

void Launcher::leave_as_told(unsigned char status) {
  if (status != 0) {
    char text[4096];
    for (long length;
         (length = sys(SYS_read, launch_.channel, text, sizeof text)) > 0;)
      if (failed(write_all(STDERR_FILENO, text, (size_t)length))) break;
    if (launch_.ready_ns) await_end(false);
  }
  sys(SYS_exit_group, status);
  __builtin_unreachable();
}

void Launcher::leave_as_daemon() {
  Text text;
  text.add("posix-daemonize: ");
  int status = -1;
  if (launch_.ready_ns) {
    status = reap();
    text.add("ERR_DAEMON_NOT_READY: ");
  }
  text.add("the daemon ");
  int leave = kFailure;
  if (status == -1) {
    text.add("ended");
  } else {
    text.add("(pid ").add(launch_.daemon).add(") ");
    if (WIFSIGNALED(status)) {
      text.add("was killed by ").add_signal(WTERMSIG(status));
      leave = kBySignal + WTERMSIG(status);
    } else {
      text.add("exited with status ").add(WEXITSTATUS(status));
      if (WEXITSTATUS(status) != 0) leave = WEXITSTATUS(status);
    }
  }
  text.add(" before it was ready\n");
  print(text);
  sys(SYS_exit_group, leave);
  __builtin_unreachable();
}

void Launcher::leave_by(int signal) {
  if (launch_.ready_ns) await_end(true);
  set_default(signal);
  const uint64_t mask = ~bit(signal);
  sys(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
  sys(SYS_kill, sys(SYS_getpid), signal);
  sys(SYS_exit_group, kBySignal + signal);
  __builtin_unreachable();
}

void Launcher::leave_late() {
  await_end(true);
  Text text;
  text.add("posix-daemonize: ERR_DAEMON_READY_TIMEOUT: the daemon (pid ")
      .add(launch_.daemon)
      .add(") was not ready within ")
      .add((long)(launch_.ready_ns / kMillisecond))
      .add(" ms and was ended\n");
  print(text);
  sys(SYS_exit_group, kFailure);
  __builtin_unreachable();
}

// Until the daemon is no more: after a while, or at a second signal, by force.
void Launcher::await_end(bool ask) {
  if (ask) sys(SYS_kill, launch_.daemon, SIGTERM);
  const uint64_t deadline = now() + kGrace;
  if (launch_.channel >= 0) sys(SYS_close, launch_.channel);
  launch_.channel = -1;
  if (process_ >= 0) {
    if (next(deadline) != kGone) sys(SYS_kill, launch_.daemon, SIGKILL);
  } else {
    const struct timespec moment = {0, 10 * kMillisecond};
    while (sys(SYS_wait4, launch_.daemon, nullptr, WNOHANG | __WALL, nullptr) ==
           0) {
      if (now() >= deadline) sys(SYS_kill, launch_.daemon, SIGKILL);
      sys(SYS_nanosleep, &moment, nullptr);
    }
  }
  reap();
}

// -1: somebody else has taken the status.
int Launcher::reap() {
  int status = -1;
  long pid;
  do pid = sys(SYS_wait4, launch_.daemon, &status, __WALL, nullptr);
  while (pid == -EINTR);
  return pid == launch_.daemon ? status : -1;
}

}  // namespace

bool adopt_orphans(bool adopt) {
  int before = 0;
  sys(SYS_prctl, PR_GET_CHILD_SUBREAPER, &before);
  if ((before != 0) != adopt) sys(SYS_prctl, PR_SET_CHILD_SUBREAPER, adopt);
  return before != 0;
}

void leave_with(const Launch& launch) {
  Launcher launcher(launch);
  launcher.wait();
}

}  // namespace forkall
