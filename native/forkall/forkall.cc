#include "forkall/forkall.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "forkall/kernel_objects.h"
#include "forkall/launcher.h"
#include "forkall/libc/libc.h"
#include "forkall/marks.h"
#include "forkall/scout.h"
#include "forkall/search.h"
#include "forkall/threads.h"

namespace forkall {

Times times;

namespace {

constexpr size_t kNotes = 64 << 20;  // address space, not memory
constexpr unsigned long kForkFlags =
    SIGCHLD | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;

void await(long pid) {
  while (sys(SYS_wait4, pid, nullptr, __WALL, nullptr) == -EINTR) continue;
}

// What the child says once it is whole, or when it cannot be.
struct Report {
  long error;
  Step step;
  int pid;  // of who says it
  Times times;
};

// One fork from its preparation to its end. Static: the signal handler and
// the revived threads outlive any frame of the caller.
class Fork {
 public:
  Result run(bool detach, uint64_t deadline_ns, uint64_t ready_ns);

 private:
  long prepare();
  long survey();
  long stop_and_survey();
  Result in_parent(long pid);
  Result in_child();
  void become_grandchild();
  Result failure(long error);
  void clean_up();
  [[noreturn]] void give_up(long error);
  Report report(long error) const {
    return {error, step_, (int)sys(SYS_getpid), times};
  }

  int* own_tid_field() const { return threads_.tid_field(threads_.all()[0]); }

  // The end of a step; what fails from here on fails in the one that follows.
  void begin(Step step) {
    times.ended[(size_t)step_] = now();
    step_ = step;
  }

  bool detach_;
  uint64_t deadline_, ready_;
  Step step_;
  int channel_[2] = {-1, -1};
  Arena arena_;
  Threads threads_;
  Scout scout_;
  Search search_;
  Marks marks_;
  KernelObjects objects_;
  List<Mapping> mappings_;
  List<RingRecord> rings_;
  bool adopted_before_;
} the_fork;

Result Fork::run(bool detach, uint64_t deadline_ns, uint64_t ready_ns) {
  detach_ = detach;
  ready_ = ready_ns;
  times = {};
  times.begin = now();
  deadline_ = times.begin + deadline_ns;
  long error = stop_and_survey();
  // A ring with work in it will be empty a moment later.
  while (error == -EBUSY && now() < deadline_) {
    clean_up();
    struct timespec moment = {0, 1000000};
    sys(SYS_nanosleep, &moment, nullptr);
    error = stop_and_survey();
  }
  if (failed(error)) return failure(error);

  begin(Step::kFork);
  if (ready_) adopted_before_ = adopt_orphans(true);
  error = marks_.remove();
  const long pid =
      failed(error) ? error : arch::fork(kForkFlags, own_tid_field());
  if (pid == 0) return in_child();
  if (!failed(pid)) return in_parent(pid);
  if (ready_) adopt_orphans(adopted_before_);
  marks_.restore();
  threads_.release();
  return failure(pid);
}

long Fork::stop_and_survey() {
  step_ = Step::kPrepare;
  long error = prepare();
  if (failed(error)) return error;
  begin(Step::kStop);
  error = threads_.stop(deadline_);
  if (failed(error)) return error;
  begin(Step::kSurvey);
  error = survey();
  if (failed(error)) threads_.release();
  return error;
}

// All that may need memory or descriptors, while the process still runs.
long Fork::prepare() {
  long error = arena_.open(kNotes, false);
  if (!failed(error)) error = threads_.open(arena_);
  if (!failed(error)) error = marks_.open(arena_);
  if (!failed(error)) error = objects_.open(arena_);
  if (!failed(error)) error = scout_.open();
  if (!failed(error)) error = search_.open(arena_);
  if (!failed(error) && !mappings_.open(arena_, kMaxMappings)) error = -ENOMEM;
  if (!failed(error)) error = sys(SYS_pipe2, channel_, O_CLOEXEC);
  if (failed(error)) return error;
  objects_.ignore(channel_[0]);
  objects_.ignore(channel_[1]);
  objects_.ignore(threads_.directory());
  return 0;
}

long Fork::survey() {
  long error = scout_.start();
  if (failed(error)) return error;
  const long maps = open_own("/proc/self/maps");
  error = failed(maps) ? maps : read_maps((int)maps, mappings_);
  if (!failed(maps)) sys(SYS_close, maps);
  if (!failed(error)) error = objects_.survey();
  const long copied = scout_.finish();
  if (!failed(error)) error = copied;
  if (!failed(error)) error = marks_.compare(mappings_, scout_.mappings());
  if (!failed(error)) error = search_.run(threads_, scout_.mappings());
  if (failed(error)) return error;
  rings_ = search_.rings();
  error = objects_.check_rings(rings_);
  // A ring that must stay may be used by one process: by a daemon alone.
  if (error != -ENOTSUP || !detach_) return error;
  rings_.count = 0;
  return 0;
}

Result Fork::in_parent(long pid) {
  sys(SYS_close, channel_[1]);
  channel_[1] = -1;
  const Report silent = {-ECHILD, Step::kFork, 0, times};
  Report report = silent;
  const long length = read_all(channel_[0], &report, sizeof report);
  if (length != (long)sizeof report) report = silent;
  times = report.times;
  step_ = report.step;
  if (detach_ || failed(report.error)) {
    // Not reaped where SIGCHLD is ignored: then it is gone as well.
    await(pid);
  }
  if (detach_ && !failed(report.error))
    leave_with({channel_[0], report.pid, ready_});
  if (ready_) {
    if (report.pid > 0 && report.pid != pid) await(report.pid);
    adopt_orphans(adopted_before_);
  }
  marks_.restore();
  threads_.release();
  if (failed(report.error)) return failure(report.error);
  clean_up();
  Result result = {};
  result.pid = pid;
  return result;
}

Result Fork::in_child() {
  sys(SYS_close, channel_[0]);
  channel_[0] = -1;
  if (detach_) become_grandchild();
  begin(Step::kReplace);
  long error = objects_.replace(rings_);
  if (failed(error)) give_up(error);
  begin(Step::kRevive);
  error = threads_.revive();
  if (failed(error)) give_up(error);
  // Before any other thread runs: it may map and unmap, lock and unlock.
  marks_.restore();
  search_.rename_owners(threads_);
  error = threads_.open_gate();
  if (failed(error)) give_up(error);
  begin(Step::kDone);
  const Report well = report(0);
  error = write_all(channel_[1], &well, sizeof well);
  if (failed(error)) give_up(error);
  threads_.restore_signals();
  Result result = {};
  result.channel = -1;
  if (detach_) {
    result.channel = channel_[1];
    channel_[1] = -1;
  }
  clean_up();
  return result;
}

// The process between the launcher and the daemon revives nobody.
void Fork::become_grandchild() {
  begin(Step::kSession);
  const long session = sys(SYS_setsid);
  if (failed(session)) give_up(session);
  begin(Step::kRefork);
  const long pid = arch::fork(kForkFlags, own_tid_field());
  if (failed(pid)) give_up(pid);
  if (pid != 0) sys(SYS_exit_group, 0);
}

void Fork::give_up(long error) {
  const Report bad = report(error);
  write_all(channel_[1], &bad, sizeof bad);
  sys(SYS_exit_group, 1);
  __builtin_unreachable();
}

Result Fork::failure(long error) {
  Result result = {};
  result.pid = error;
  result.error = error;
  result.step = step_;
  const Thread* thread = error == -EBUSY ? search_.taker() : threads_.culprit();
  if (thread) memcpy(result.thread, thread->name, sizeof result.thread);
  clean_up();
  return result;
}

void Fork::clean_up() {
  for (int& end : channel_) {
    if (end >= 0) sys(SYS_close, end);
    end = -1;
  }
  threads_.close();
  objects_.close();
  scout_.close();
  // A thread that answers too late still looks itself up.
  if (!threads_.culprit()) arena_.close();
}

}  // namespace

const char* unsupported() {
  ptrdiff_t offset;
  if (sys(SYS_gettid) != sys(SYS_getpid))
    return "only the process's first thread can fork it";
  if (arch::shadow_stack_enabled())
    return "shadow stacks (CET) are enabled for this process";
  if (!libc::find_tid_offset((int)sys(SYS_gettid), &offset))
    return "this C library keeps its threads in an unknown layout";
  char path[kProcPath];
  proc_path(path, "/proc/self/task/", (int)sys(SYS_gettid), "");
  long proc = open_own(path);
  // Without a descriptor left, what needs one says so.
  if (failed(proc) && proc != -EMFILE && proc != -ENFILE)
    return "/proc is not mounted, not readable or of another PID namespace";
  if (!failed(proc)) sys(SYS_close, proc);
  return nullptr;
}

Result fork(uint64_t deadline_ns) {
  return the_fork.run(false, deadline_ns, 0);
}

Result detach(uint64_t deadline_ns, uint64_t ready_ns) {
  return the_fork.run(true, deadline_ns, ready_ns);
}

}  // namespace forkall
