// forkall(2) for Linux: a fork that duplicates every thread.
//
// Stop every other thread at a known point, copy the whole process, and in the
// child start every thread again exactly where it was. Solaris has the call;
// here it is made in user space. docs/how-it-works.md tells the whole story.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace forkall {

/** What was being done; also what an error happened in. */
enum class Step : uint32_t {
  kPrepare,  // memory and descriptors, nothing stopped yet
  kStop,     // every other thread
  kSurvey,   // what fork(2) does not copy, locks, kernel objects
  kFork,     // the process itself
  kSession,  // detach(): setsid(2) and the second fork
  kRefork,
  kReplace,  // kernel objects, in the child
  kRevive,   // the threads, in the child
  kDone,
  kCount,
};

struct Result {
  long pid;         // 0 in the child
  long error;       // negated errno, or 0
  Step step;        // where the error happened
  char thread[16];  // that could not be stopped (ETIMEDOUT, EBUSY)
  int channel;      // detach(), in the daemon: to the launcher
};

/** When each step of the last fork ended, in ns of CLOCK_MONOTONIC. */
struct Times {
  uint64_t begin;
  uint64_t ended[(size_t)Step::kCount];
};
extern Times times;

/**
 * Why this process cannot be forked, or null when it can.
 * Nothing has been done to it.
 */
const char* unsupported();

/**
 * fork(2), with all threads, in both processes. To be called in the process's
 * first thread. On an error there is no child, and nothing has changed.
 */
Result fork(uint64_t deadline_ns);

/**
 * fork, setsid, fork: returns 0 in the grandchild only.
 *
 * The launching process stays stopped, waits for what comes through `channel`
 * (an exit status as one byte, then a text for its stderr, then end of file)
 * and leaves. On an error up to the grandchild's last thread it returns here
 * unharmed instead.
 *
 * With `ready_ns`, which is how long it waits, the launching process stays the
 * daemon's parent so long: a daemon that ends without a word gives its status,
 * one that is late is ended. Without, it waits for ever, as a stranger.
 */
Result detach(uint64_t deadline_ns, uint64_t ready_ns = 0);

}  // namespace forkall
