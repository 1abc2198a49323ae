// Capabilities belong to a thread, and the C library has no call that changes
// them in all: each thread is told to give up its own, by the signal that the C
// library keeps for itself and that no thread blocks.
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "credentials.h"
#include "forkall/atomics.h"
#include "forkall/kernel.h"
#include "forkall/libc/libc.h"
#include "forkall/threads.h"
#include "result.h"

namespace posix {

namespace {

using forkall::load;
using forkall::store;
using forkall::sys;

constexpr uint64_t millisecond = 1000000;

// The thread that is to answer; 0 once it has.
uint32_t asked = 0;

// The ambient set goes with the permitted and the inheritable one.
long give_up() {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  const struct __user_cap_data_struct none[2] = {};
  return sys(SYS_capset, &header, none);
}

// By system calls alone: it may have interrupted anything.
void on_signal(int) {
  const auto tid = static_cast<uint32_t>(sys(SYS_gettid));
  if (load(asked) != tid) return;
  give_up();
  if (forkall::change(asked, tid, 0u)) forkall::futex_wake(&asked);
}

long set_action(const forkall::SignalAction* action,
                forkall::SignalAction* old) {
  return sys(SYS_rt_sigaction, libc::kStopSignal, action, old,
             sizeof action->mask);
}

forkall::SignalAction make_action() {
  constexpr unsigned long restorer = 0x04000000;  // SA_RESTORER
  forkall::SignalAction action = {};
  action.handler = reinterpret_cast<void*>(on_signal);
  action.restorer = reinterpret_cast<void*>(arch::restorer());
  action.flags = SA_RESTART | (action.restorer != nullptr ? restorer : 0);
  action.mask = ~uint64_t{0};
  return action;
}

// False: it has not answered.
bool ask(int tid, uint64_t deadline) {
  const auto number = static_cast<uint32_t>(tid);
  const long pid = sys(SYS_getpid);
  store(asked, number);
  long sent;
  // The queue of real-time signals may be full for a moment.
  do {
    sent = sys(SYS_tgkill, pid, tid, libc::kStopSignal);
  } while (sent == -EAGAIN && sys(SYS_sched_yield) == 0 &&
           forkall::now() < deadline);
  while (load(asked) == number) {
    if (sys(SYS_tgkill, pid, tid, 0) == -ESRCH) break;
    const uint64_t time = forkall::now();
    if (time >= deadline) return false;
    forkall::futex_wait(&asked, number, time + millisecond);
  }
  return true;
}

int ask_all(int tasks, uint64_t patience, bool* all) {
  const int self = static_cast<int>(sys(SYS_gettid));
  std::vector<int> seen = {self};
  for (bool any = true; any;) {
    any = false;
    const long listed = forkall::each_number(tasks, [&](int tid) {
      if (std::find(seen.begin(), seen.end(), tid) != seen.end()) return;
      seen.push_back(tid);
      any = true;
      if (!ask(tid, forkall::now() + patience)) *all = false;
    });
    if (listed < 0) return static_cast<int>(listed);
  }
  return 0;
}

}  // namespace

int drop_capabilities(int proc, int patience) noexcept {
  const int tasks =
      result(::openat(proc, "self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (tasks < 0) return tasks;
  const forkall::SignalAction action = make_action();
  forkall::SignalAction old = {};
  long error = set_action(&action, &old);
  if (error == 0) {
    error = give_up();
    bool all = true;
    const uint64_t each = static_cast<uint64_t>(patience) * millisecond;
    if (error == 0) error = ask_all(tasks, each, &all);
    // A signal that is still on its way finds a handler that does nothing.
    store(asked, 0u);
    if (all) set_action(&old, nullptr);
  }
  ::close(tasks);
  return static_cast<int>(error);
}

}  // namespace posix
