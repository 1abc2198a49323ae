// What every case uses: facts that must hold, threads that wait for each other
// without sleeping, and a fork after which both processes are looked at.
#pragma once

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

#include "forkall/forkall.h"
#include "forkall/kernel.h"

namespace check {

/** One test, run in a process of its own: its title is the fact it proves. */
struct Case {
  Case(const char* name, const char* title, void (*run)());
  const char* name;
  const char* title;
  void (*run)();
  Case* next;
};

#define CASE(name, title)                                    \
  static void name();                                        \
  static const check::Case case_##name(#name, title, &name); \
  static void name()

[[noreturn]] void fail(const char* file, int line, const char* text,
                       long actual, long expected);

/** Ends the case: what this machine lacks, and what would bring it. */
[[noreturn]] void skip(const char* reason);

#define CHECK(condition) \
  ((condition) ? (void)0 : check::fail(__FILE__, __LINE__, #condition, 0, 1))
#define EQUAL(actual, expected)                                        \
  do {                                                                 \
    const long actual_ = (long)(actual), expected_ = (long)(expected); \
    if (actual_ != expected_)                                          \
      check::fail(__FILE__, __LINE__, #actual, actual_, expected_);    \
  } while (0)

/** AddressSanitizer's memory is too large to be looked at page by page. */
#ifdef __SANITIZE_ADDRESS__
constexpr bool kShadowed = true;
#else
constexpr bool kShadowed = false;
#endif

/** Becomes a user of this process alone, for whom limits count. */
void give_up_root();

constexpr uint64_t kSecond = 1000000000;
constexpr uint64_t kDeadline = 20 * kSecond;  // of whatever must happen

/** A word that threads wait on; each process has its own after a fork. */
class Counter {
 public:
  void add(uint32_t more = 1);
  void wait(uint32_t value);  // until it is at least that
  uint32_t get() const { return __atomic_load_n(&value_, __ATOMIC_ACQUIRE); }

 private:
  uint32_t value_ = 0;
};

/** A thread with a number, which tells its tid and goes on when it is told. */
class Worker {
 public:
  using Work = void (*)(Worker& self);
  void start(Work work, void* shared, int number = 0);
  void* join();

  // For the worker itself:
  /** The situation is there: the process may be forked. */
  void ready() { ready_.add(); }
  /** Until go(): the process may have been forked meanwhile. */
  void await(uint32_t step = 1) { gone_.wait(step); }
  /** What follows from go() has been done. */
  void done() { done_.add(); }

  // For the main thread:
  void await_ready(uint32_t count = 1) { ready_.wait(count); }
  /** Until the worker sleeps in system call `number`. */
  void await_blocked(long number);
  void go() { gone_.add(); }
  void await_done(uint32_t count = 1) { done_.wait(count); }

  pthread_t thread;
  int tid = 0;  // where it started, or where it ended
  int number = 0;
  void* shared = nullptr;
  void* result = nullptr;

 private:
  static void* run(void* self);
  Work work_ = nullptr;
  Counter ready_, gone_, done_;
};

/** Until thread `tid` of this process sleeps in system call `number`. */
void await_blocked(int tid, long number);

/** Until no thread `tid` of this process is left, not even a dying one. */
void await_end(int tid);

/** Reads a file of /proc as text; fails if it cannot. */
void read_text(const char* path, char* text, size_t size);

/** The number behind `key` in a text such as /proc/self/status; or -1. */
long number_behind(const char* text, const char* key);

/** Forks and expects success: 0 in the child, its pid in the parent. */
long fork_now();

/** The calling thread is what its C library believes it is. */
void check_self();

/** All threads of this process together: their number and their names. */
uint64_t thread_names();

/** The end of a child: its parent looks at the status. */
[[noreturn]] void leave_well();

/** The child must have ended by leave_well(). */
void await_child(long pid);

/** Kernel's view: 0, or the signal or status that a child ended with. */
int exit_status(long pid);

constexpr int kGenerations = 3;

/**
 * Forks three times, each time in the newest process, and then runs `look` in
 * each of the four. Returns in the first only, the others having ended well.
 */
template <typename Look>
void in_each_generation(Look look) {
  long child = 0;
  bool first = true;
  for (int generation = 0; generation < kGenerations; ++generation) {
    const uint64_t names = thread_names();
    child = fork_now();
    CHECK(thread_names() == names);
    if (child != 0) break;
    first = false;
  }
  check_self();
  look();
  if (child != 0) await_child(child);
  if (!first) leave_well();
}

/** Calls system call `number` by its number; a negated errno on failure. */
using forkall::sys;

}  // namespace check
