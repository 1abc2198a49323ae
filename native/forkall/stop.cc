// Stopping: every other thread is told to, and all are waited for.
#include <errno.h>
#include <string.h>
#include <time.h>

#include "forkall/atomics.h"
#include "forkall/late.h"
#include "forkall/libc/libc.h"
#include "forkall/threads.h"

namespace forkall {

namespace {

constexpr uint64_t kMillisecond = 1000000;

// Workers of io_uring belong to the process but run no user code; a thread in
// its last breath is as good as gone.
bool runs_user_code(int tid, bool* gone) {
  constexpr unsigned long kIoWorker = 0x10, kUserWorker = 0x4000;  // PF_*
  char path[kProcPath], text[512];
  proc_path(path, "/proc/self/task/", tid, "/stat");
  const long length = read_file(path, text, sizeof text);
  if (length == -ENOENT || length == -ESRCH) return *gone = true, false;
  if (length <= 0) return true;
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

// A worker of io_uring never takes its signal, and another one would be queued
// at every fork: it gets one only.
int kernel_workers[64];

void remember_kernel_worker(int tid) {
  for (int& place : kernel_workers) {
    bool gone = false;
    if (place && !runs_user_code(place, &gone) && !gone) continue;
    place = tid;
    return;
  }
}

bool is_kernel_worker(int tid) {
  for (const int place : kernel_workers) {
    bool gone = false;
    if (place == tid && !runs_user_code(tid, &gone)) return !gone;
  }
  return false;
}

}  // namespace

long Threads::send_signal(Thread& thread) {
  store(thread.state, Thread::kSignalled);
  store(expected_, expected_ + 1);
  long sent;
  // The queue of real-time signals may be full for a moment.
  do {
    sent = sys(SYS_tgkill, pid_, thread.tid, libc::kStopSignal);
  } while (sent == -EAGAIN && sys(SYS_sched_yield) == 0 && now() < deadline_);
  if (!failed(sent)) return 0;
  store(thread.state, Thread::kGone);
  store(expected_, expected_ - 1);
  return sent == -ESRCH ? 0 : sent;
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
    *any = true;
    if (is_kernel_worker(tid)) return (void)(thread->state = Thread::kKernel);
    const long sent = send_signal(*thread);
    if (failed(sent)) error = sent;
  });
  return failed(listed) ? listed : error;
}

// A thread that does not answer may have ended, or be none that could.
void Threads::sort_out_silent() {
  for (Thread& thread : threads_) {
    if (load(thread.state) != Thread::kSignalled) continue;
    bool gone = sys(SYS_tgkill, pid_, thread.tid, 0) == -ESRCH;
    if (!gone && runs_user_code(thread.tid, &gone)) continue;
    if (!change<uint32_t>(thread.state, Thread::kSignalled,
                          gone ? Thread::kGone : Thread::kKernel))
      continue;
    store(expected_, expected_ - 1);
    if (!gone) remember_kernel_worker(thread.tid);
  }
}

// EBUSY: no thread has answered for as long as `patience`.
long Threads::wait_parked(uint64_t patience) {
  constexpr uint64_t kOften = 2 * kMillisecond;
  uint32_t before = load(parked_);
  uint64_t look = now() + kOften, until = now() + patience;
  for (;;) {
    const uint32_t parked = load(parked_);
    if (parked == expected_) return 0;
    const uint64_t time = now();
    if (parked != before) until = time + patience;
    before = parked;
    if (time >= until || time >= deadline_) return -EBUSY;
    if (time >= look) {
      sort_out_silent();
      look = time + kOften;
      continue;
    }
    const uint64_t next = look < until ? look : until;
    futex_wait(&parked_, parked, next < deadline_ ? next : deadline_);
  }
}

// A silent thread may have all signals blocked and wait for a lock that a
// parked one holds: glibc's threads do when they end. So the parked go on for a
// moment, and are then told to stop once more.
long Threads::let_breathe() {
  const uint32_t round = round_;
  store(round_, round + 1);
  // Who changes its state to kNoting after we have looked parks in the new
  // round; the others may or may not have seen it.
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  for (Thread& thread : threads_) {
    while (load(thread.state) == Thread::kNoting) sys(SYS_sched_yield);
    if (load(thread.state) == Thread::kParked && thread.round == round)
      store(thread.state, Thread::kBreathing);
  }
  store(gate_, round);
  futex_wake(&gate_);
  const struct timespec moment = {0, kMillisecond};
  sys(SYS_nanosleep, &moment, nullptr);
  long error = 0;
  for (Thread& thread : threads_) {
    if (thread.state != Thread::kBreathing) continue;
    const long sent = send_signal(thread);
    if (failed(sent)) error = sent;
  }
  return error;
}

void Threads::abandon_silent() {
  for (Thread& thread : threads_) {
    if (load(thread.state) != Thread::kSignalled) continue;
    late::add(thread.tid);
    if (!change<uint32_t>(thread.state, Thread::kSignalled,
                          Thread::kAbandoned)) {
      late::remove(thread.tid);
      continue;
    }
    store(expected_, expected_ - 1);
    // Who has parked before only lacks the time to do so again.
    if (culprit_ && thread.round != 0) continue;
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
}

long Threads::stop_all() {
  uint64_t patience = 10 * kMillisecond;
  for (bool any = true; any;) {
    long error = signal_newcomers(&any);
    if (failed(error)) return error;
    for (; wait_parked(patience) == -EBUSY; patience *= 2) {
      if (now() >= deadline_) return -ETIMEDOUT;
      error = let_breathe();
      if (failed(error)) return error;
    }
  }
  // From here on: those that are to be revived.
  uint32_t count = 0;
  for (Thread& thread : threads_) {
    if (thread.foreign_layout) return -ENOTSUP;
    count += thread.state == Thread::kParked;
  }
  parked_ = expected_ = count;
  return 0;
}

}  // namespace forkall
