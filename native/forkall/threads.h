// Every other thread of the process: stopped at a known point, released, or
// started again in the child exactly where it was.
#pragma once

#include <sched.h>
#include <signal.h>

#include "forkall/arena.h"

namespace forkall {

/** What sched_setattr(2) takes; the C libraries do not all declare it. */
struct Scheduling {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

/** What a thread notes of itself, since the kernel will not copy it. */
struct Thread {
  enum State : uint32_t {
    kSignalled,  // told to stop, has not answered
    kNoting,     // in its handler, writing down the rest of this
    kParked,     // waits in its handler at a known point
    kBreathing,  // was parked, and is let go on for a moment
    kGone,       // ended before it could answer
    kKernel,     // a worker of io_uring: runs no user code, takes no signal
    kAbandoned,  // did not answer in time
    kCaller,     // stops the others
  };
  uint32_t state;
  uint32_t round;  // when it parked
  int tid;
  int new_tid;  // in the child
  bool foreign_layout;
  bool ending;  // has no tid any more as far as the C library knows
  char* stack;
  void* context;
  void* thread_pointer;
  int* clear_child_tid;
  void* robust_list;
  size_t robust_size;
  void* rseq;
  Scheduling scheduling;
  long affinity_size;
  unsigned char affinity[128];
  char name[16];
};

/** The kernel's struct sigaction, the same on x86-64 and aarch64. */
struct SignalAction {
  void* handler;
  unsigned long flags;
  void* restorer;
  uint64_t mask;
};

class Threads {
 public:
  /** Takes what stop() needs; nothing has happened to any thread. */
  long open(Arena& arena);
  void close();

  /**
   * Returns when every other thread is parked, with all signals blocked.
   * On an error everything is as before; ETIMEDOUT leaves culprit().
   */
  long stop(uint64_t deadline);

  /** The end of a stop: the threads go on, the signals are as before. */
  void release();

  /**
   * In the child: a thread for each parked one, waiting at a gate.
   * The calling thread is number 0 of all().
   */
  long revive();

  /** Opens the gate; returns when all have passed it. */
  long open_gate();

  /** The calling thread's signals as before the stop. */
  void restore_signals();

  const List<Thread>& all() const { return threads_; }
  const Thread* culprit() const { return culprit_; }
  int directory() const { return directory_; }
  int* tid_field(const Thread& thread) const {
    return (int*)((char*)thread.thread_pointer + tid_offset_);
  }

 private:
  // The stop under way. Null: a signal that comes now is nobody's.
  static Threads* current_;
  // Counts the stops; a parked thread goes on once gate_ has reached its own.
  static uint32_t round_;

  static void on_stop_signal(int signal, siginfo_t* info, void* context);
  static void run_revived(void* thread);

  bool learn_rseq_size();
  void wait_at_gate(uint32_t round) const;
  void note(Thread& self, void* context);
  long signal_newcomers(bool* any);
  long send_signal(Thread& thread);
  long stop_all();
  long wait_parked(uint64_t patience);
  long let_breathe();
  void abandon_silent();
  void sort_out_silent();
  void restore_own(const Thread& thread) const;
  Thread* find(int tid);

  List<Thread> threads_;
  Thread* culprit_ = nullptr;
  int directory_ = -1;
  int pid_ = 0;
  ptrdiff_t tid_offset_ = 0;
  uint32_t rseq_size_ = 0;
  uint64_t deadline_ = 0;
  long failure_ = 0;
  uint32_t expected_ = 0;
  uint32_t parked_ = 0;
  uint32_t gate_ = 0;
  uint32_t passed_ = 0;
  uint64_t old_mask_ = 0;
};

}  // namespace forkall
