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
constexpr uint64_t kMillisecond = 1000000;
constexpr uint64_t kAllSignals = ~0ull;
constexpr unsigned long kRestorer = 0x04000000;  // SA_RESTORER

// What the stop signal meant before us; kept for signals that come too late.
SignalAction previous = {};

long set_action(const SignalAction* action, SignalAction* old) {
  return sys(SYS_rt_sigaction, libc::kStopSignal, action, old,
             sizeof action->mask);
}

// Workers of io_uring belong to the process but run no user code; a thread in
// its last breath is as good as gone.
bool runs_user_code(int tid, bool* gone) {
  constexpr unsigned long kIoWorker = 0x10, kUserWorker = 0x4000;  // PF_*
  char path[kProcPath], text[512];
  proc_path(path, "/proc/self/task/", tid, "/stat");
  if (read_file(path, text, sizeof text) <= 0) return *gone = true, false;
  const char* at = strrchr(text, ')');
  if (!at || at[1] != ' ') return true;
  const char state = at[2];
  // tid (comm) state ppid pgrp session tty tpgid flags
  for (int field = 0; field < 7 && at; ++field) at = strchr(at + 1, ' ');
  unsigned long flags = 0;
  for (at = at ? at + 1 : ""; *at >= '0' && *at <= '9'; ++at)
    flags = flags * 10 + (unsigned long)(*at - '0');
  if (state == 'Z' || state == 'X') return *gone = true, false;
  return !(flags & (kIoWorker | kUserWorker));
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
  const uint32_t round = load(round_);
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
  self->stack = (char*)__builtin_frame_address(0);
  stop->note(*self, context);
  store(self->state, Thread::kParked);
  if (increment(stop->parked_) == load(stop->expected_))
    futex_wake(&stop->parked_);
  stop->wait_at_gate(round);
}

// Tells every thread not known yet to stop. A thread is born by one that runs,
// so a listing that brings nothing new after all have parked is the last.
long Threads::signal_newcomers(bool* any) {
  long error = 0;
  *any = false;
  long listed = each_number(directory_, [&](int tid) {
    if (tid == pid_ || find(tid)) return;
    Thread* thread = threads_.add();
    if (!thread) return (void)(error = -ENOMEM);
    thread->tid = tid;
    store(thread->state, Thread::kSignalled);
    store(expected_, expected_ + 1);
    *any = true;
    long sent;
    // The queue of real-time signals may be full for a moment.
    do {
      sent = sys(SYS_tgkill, pid_, tid, libc::kStopSignal);
    } while (sent == -EAGAIN && sys(SYS_sched_yield) == 0 && now() < deadline_);
    if (!failed(sent)) return;
    store(thread->state, Thread::kGone);
    store(expected_, expected_ - 1);
    if (sent != -ESRCH) error = sent;
  });
  return failed(listed) ? listed : error;
}

// A thread that does not answer may have ended, or be none that could.
void Threads::sort_out_silent() {
  for (Thread& thread : threads_) {
    if (load(thread.state) != Thread::kSignalled) continue;
    bool gone = sys(SYS_tgkill, pid_, thread.tid, 0) == -ESRCH;
    if (!gone && runs_user_code(thread.tid, &gone)) continue;
    if (change<uint32_t>(thread.state, Thread::kSignalled,
                         gone ? Thread::kGone : Thread::kKernel))
      store(expected_, expected_ - 1);
  }
}

long Threads::wait_parked() {
  constexpr uint64_t kPatience = 2 * kMillisecond;
  uint64_t look = now() + kPatience;
  for (;;) {
    const uint32_t parked = load(parked_);
    if (parked == expected_) return 0;
    const uint64_t time = now();
    if (time >= deadline_) break;
    if (time >= look) {
      sort_out_silent();
      look = time + kPatience;
      continue;
    }
    futex_wait(&parked_, parked, look < deadline_ ? look : deadline_);
  }
  for (Thread& thread : threads_) {
    if (load(thread.state) != Thread::kSignalled) continue;
    late::add(thread.tid);
    if (!change<uint32_t>(thread.state, Thread::kSignalled,
                          Thread::kAbandoned)) {
      late::remove(thread.tid);
      continue;
    }
    store(expected_, expected_ - 1);
    culprit_ = &thread;
    char path[kProcPath];
    proc_path(path, "/proc/self/task/", thread.tid, "/comm");
    long length = read_file(path, thread.name, sizeof thread.name);
    if (length > 0 && thread.name[length - 1] == '\n')
      thread.name[length - 1] = 0;
  }
  // Those that were just answering do so at once.
  for (uint32_t parked; (parked = load(parked_)) != expected_;)
    futex_wait(&parked_, parked, now() + kMillisecond);
  return culprit_ ? -ETIMEDOUT : 0;
}

long Threads::stop(uint64_t deadline) {
  deadline_ = deadline;
  sys(SYS_rt_sigprocmask, SIG_SETMASK, &kAllSignals, &old_mask_, 8);
  Thread* self = threads_.add();
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

  bool any = true;
  while (!failed(error) && any) {
    error = signal_newcomers(&any);
    long waited = wait_parked();
    if (!failed(error)) error = waited;
  }
  for (Thread& thread : threads_)
    if (!failed(error) && thread.foreign_layout) error = -ENOTSUP;
  if (failed(error)) release();
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
  if (!late::any()) set_action(&previous, nullptr);
  sys(SYS_rt_sigprocmask, SIG_SETMASK, &old_mask_, nullptr, 8);
}

}  // namespace forkall
