// A thread's number may look like half of an address on its own stack.
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "mutex_kinds.h"

using check::Worker;

namespace {

constexpr char kLastPid[] = "/proc/sys/kernel/ns_last_pid";

struct Shared {
  const check::MutexKind* kind;
  pthread_mutex_t mutex;
};

void hold(Worker& self) {
  auto& shared = *(Shared*)self.shared;
  EQUAL(pthread_mutex_lock(&shared.mutex), 0);
  self.ready();
  self.await();
  EQUAL(pthread_mutex_unlock(&shared.mutex), 0);
}

void want(Worker& self) {
  auto& shared = *(Shared*)self.shared;
  self.await();
  EQUAL(pthread_mutex_lock(&shared.mutex), 0);
  check::check_owner(&shared.mutex, *shared.kind);
  EQUAL(pthread_mutex_unlock(&shared.mutex), 0);
}

// Starts a thread with that very number; another process may take it first.
bool start_as(Worker& worker, int tid, Shared& shared) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    const int file = open(kLastPid, O_WRONLY | O_CLOEXEC);
    CHECK(file >= 0);
    dprintf(file, "%d", tid - 1);
    close(file);
    worker = {};
    worker.start(want, &shared);
    if (worker.tid == tid) return true;
    worker.go();
    worker.join();
  }
  return false;
}

void wait_as(int tid, const check::MutexKind& kind) {
  static Shared shared;
  static Worker holder, waiter;
  shared.kind = &kind;
  if (!check::make_mutex(&shared.mutex, kind)) return;
  if (!start_as(waiter, tid, shared)) return;
  holder.start(hold, &shared);
  holder.await_ready();
  waiter.go();
  waiter.await_blocked(SYS_futex);
  check::in_each_generation([] {
    holder.go();
    holder.join();
    waiter.join();
  });
}

}  // namespace

CASE(lookalikes,
     "a thread whose number is half of an address keeps its mutex") {
  if (access(kLastPid, W_OK) != 0)
    check::skip("needs root, to choose the number of a thread");
  // What it leaves on the stack makes glibc's copy of the tid and the half of
  // a return address one and the same word: that is refused.
  if (check::kShadowed) check::skip("AddressSanitizer's own use of the stack");
  constexpr int kHalf = 32;
  const int code = (int)((uintptr_t)&wait_as >> kHalf);
  const int library = (int)((uintptr_t)&pthread_mutex_lock >> kHalf);
  const int stack = (int)((uintptr_t)__builtin_frame_address(0) >> kHalf);
  const int halves[] = {code, library, stack};
  for (const int tid : halves) {
    if (tid == 0) continue;  // linked statically, and not to be moved
    for (int i = 0; i < check::kMutexKindCount; ++i) {
      // A number is free again only when its process has ended.
      const long child = ::fork();
      CHECK(child >= 0);
      if (child == 0) {
        wait_as(tid, check::kMutexKinds[i]);
        check::leave_well();
      }
      check::await_child(child);
    }
  }
}
