#include "forkall/threads.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

#include "forkall/atomics.h"
#include "forkall/late.h"
#include "forkall/libc/libc.h"

namespace forkall {

Threads* Threads::current_ = nullptr;
uint32_t Threads::round_ = 0;

namespace {

constexpr uint32_t kMaxThreads = 16384;
constexpr uint64_t kAllSignals = ~0ull;
constexpr unsigned long kRestorer = 0x04000000;  // SA_RESTORER

// What the stop signal meant before us; kept for signals that come too late.
SignalAction previous = {};

long set_action(const SignalAction* action, SignalAction* old) {
  return sys(SYS_rt_sigaction, libc::kStopSignal, action, old,
             sizeof action->mask);
}

}  // namespace

long Threads::open(Arena& arena) {
  culprit_ = nullptr;
  expected_ = parked_ = passed_ = 0;
  failure_ = 0;
  pid_ = (int)sys(SYS_getpid);
  if (!threads_.open(arena, kMaxThreads)) return -ENOMEM;
  if (!libc::find_tid_offset(pid_, &tid_offset_)) return -ENOTSUP;
  if (!learn_rseq_size()) return -ENOTSUP;
  long fd = sys(SYS_openat, AT_FDCWD, "/proc/self/task",
                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (failed(fd)) return fd;
  directory_ = (int)fd;
  return 0;
}

void Threads::close() {
  if (directory_ >= 0) sys(SYS_close, directory_);
  directory_ = -1;
}

// The kernel does not say with which size an area was registered; but doing it
// once more fails with EBUSY for the right size, with EINVAL for another.
bool Threads::learn_rseq_size() {
  constexpr uint32_t kFeatureSize = 27;  // AT_RSEQ_FEATURE_SIZE
  constexpr uint32_t kSmallest = 32;     // also what the kernel rounds up to
  void* area = libc::rseq_area();
  if (!area) return true;
  const uint32_t features = (uint32_t)getauxval(kFeatureSize);
  const uint32_t largest = (features + kSmallest - 1) / kSmallest * kSmallest;
  for (rseq_size_ = kSmallest;; rseq_size_ = largest) {
    const long again = sys(SYS_rseq, area, rseq_size_, 0, arch::kRseqSignature);
    if (again == -EBUSY) return true;
    if (rseq_size_ >= largest) return false;
  }
}

Thread* Threads::find(int tid) {
  for (Thread& thread : threads_)
    if (thread.tid == tid && load(thread.state) != Thread::kGone)
      return &thread;
  return nullptr;
}

void Threads::note(Thread& self, void* context) {
  self.context = context;
  self.thread_pointer = arch::thread_pointer();
  // Where the kernel was built without it, glibc's answer is the tid field.
  if (sys(SYS_prctl, PR_GET_TID_ADDRESS, &self.clear_child_tid) != 0)
    self.clear_child_tid = tid_field(self);
  sys(SYS_get_robust_list, 0, &self.robust_list, &self.robust_size);
  self.rseq = libc::rseq_area();
  sys(SYS_prctl, PR_GET_NAME, self.name);
  sys(SYS_sched_getattr, 0, &self.scheduling, sizeof self.scheduling, 0);
  self.affinity_size =
      sys(SYS_sched_getaffinity, 0, sizeof self.affinity, self.affinity);
  self.ending = *tid_field(self) == 0;
  self.foreign_layout = !self.ending && *tid_field(self) != self.tid;
}

void Threads::on_stop_signal(int signal, siginfo_t* info, void* context) {
  Threads* stop = load(current_);
  const int tid = (int)sys(SYS_gettid);
  Thread* self = nullptr;
  if (stop && info->si_code == SI_TKILL && info->si_pid == stop->pid_)
    self = stop->find(tid);
  if (!self ||
      !change<uint32_t>(self->state, Thread::kSignalled, Thread::kNoting)) {
    if (late::remove(tid)) return;
    // Not ours: the C library's own use of it (setuid(2) in all threads).
    auto handler = (void (*)(int, siginfo_t*, void*))previous.handler;
    if (handler != (void*)SIG_DFL && handler != (void*)SIG_IGN)
      handler(signal, info, context);
    return;
  }
  // Not before the change of state: see let_breathe().
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  const uint32_t round = self->round = load(round_);
  self->stack = (char*)__builtin_frame_address(0);
  stop->note(*self, context);
  store(self->state, Thread::kParked);
  if (increment(stop->parked_) == load(stop->expected_))
    futex_wake(&stop->parked_);
  stop->wait_at_gate(round);
}

long Threads::stop(uint64_t deadline) {
  deadline_ = deadline;
  sys(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, &old_mask_, 8);
  Thread* self = threads_.add();
  self->state = Thread::kCaller;
  self->tid = pid_;
  note(*self, nullptr);
  ++round_;
  store(current_, this);
  SignalAction action = {};
  action.handler = (void*)on_stop_signal;
  action.restorer = (void*)arch::restorer();
  action.flags = SA_SIGINFO | SA_RESTART | (action.restorer ? kRestorer : 0);
  action.mask = kAllSignals;
  SignalAction old = {};
  long error = set_action(&action, &old);
  if (!failed(error) && old.handler != action.handler) previous = old;

  if (!failed(error)) error = stop_all();
  if (!failed(error)) return 0;
  if (error != -ETIMEDOUT) wait_parked(deadline_);
  abandon_silent();
  release();
  return error;
}

void Threads::wait_at_gate(uint32_t round) const {
  uint32_t gate;
  while ((int32_t)((gate = load(gate_)) - round) < 0)
    futex_wait(&gate_, gate, 0);
}

void Threads::release() {
  store(current_, (Threads*)nullptr);
  store(gate_, round_);
  futex_wake(&gate_);
  restore_signals();
}

void Threads::restore_signals() {
  // What is still on its way would end the process under the default action,
  // or do again what the C library did last: our handler waits for it.
  // And musl may have put its own in place: at the first pthread_cancel().
  SignalAction current = {};
  set_action(nullptr, &current);
  if (!late::any() && current.handler == (void*)on_stop_signal)
    set_action(&previous, nullptr);
  sys(SYS_rt_sigprocmask, SIG_SETMASK, &old_mask_, nullptr, 8);
}

}  // namespace forkall
