// The threads in the child: started again where they were.
#include <linux/sched.h>
#include <string.h>
#include <sys/prctl.h>

#include "forkall/atomics.h"
#include "forkall/late.h"
#include "forkall/threads.h"

namespace forkall {

namespace {

constexpr unsigned long kThreadFlags =
    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
    CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
// What a signal handler may have pushed below its frame, and a red zone.
constexpr size_t kClearance = 512;

}  // namespace

void Threads::restore_own(const Thread& thread) const {
  const Thread& first = threads_[0];  // whose attributes clone() has copied
  long robust =
      sys(SYS_set_robust_list, thread.robust_list, thread.robust_size);
  long rseq = thread.rseq ? sys(SYS_rseq, thread.rseq, rseq_size_, 0,
                                arch::kRseqSignature)
                          : 0;
  if (failed(robust) || failed(rseq))
    store(current_->failure_, failed(robust) ? robust : rseq);
  if (memcmp(thread.name, first.name, sizeof thread.name) != 0)
    sys(SYS_prctl, PR_SET_NAME, thread.name);
  // An unprivileged process may not always go back to what a thread had
  // (a lower nice value); it then keeps what the main thread has.
  if (memcmp(&thread.scheduling, &first.scheduling, sizeof first.scheduling))
    sys(SYS_sched_setattr, 0, &thread.scheduling, 0);
  if (thread.affinity_size > 0 &&
      memcmp(thread.affinity, first.affinity, sizeof first.affinity))
    sys(SYS_sched_setaffinity, 0, thread.affinity_size, thread.affinity);
}

void Threads::run_revived(void* argument) {
  auto* thread = (Thread*)argument;
  Threads* stop = load(current_);
  void* context = thread->context;
  stop->restore_own(*thread);
  stop->wait_at_gate(load(round_));
  // From the last passage on the notes may be gone.
  if (increment(stop->passed_) == stop->expected_) futex_wake(&stop->passed_);
  arch::sigreturn(context);
}

long Threads::revive() {
  late::forget();
  Thread& self = threads_[0];
  pid_ = self.new_tid = (int)sys(SYS_getpid);
  sys(SYS_set_robust_list, self.robust_list, self.robust_size);
  if (self.clear_child_tid != tid_field(self))
    sys(SYS_set_tid_address, self.clear_child_tid);
  for (Thread& thread : threads_) {
    if (thread.state != Thread::kParked) continue;
    auto stack = (char*)((uintptr_t)(thread.stack - kClearance) & ~15ul);
    int* field = thread.ending ? &thread.new_tid : tid_field(thread);
    long tid =
        arch::clone_thread(kThreadFlags, stack, field, thread.clear_child_tid,
                           thread.thread_pointer, run_revived, &thread);
    if (failed(tid)) return tid;
    thread.new_tid = (int)tid;
  }
  return 0;
}

long Threads::open_gate() {
  store(gate_, round_);
  futex_wake(&gate_);
  for (uint32_t passed; (passed = load(passed_)) != expected_;)
    futex_wait(&passed_, passed, 0);
  store(current_, (Threads*)nullptr);
  return failure_;
}

}  // namespace forkall
