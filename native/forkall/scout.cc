#include "forkall/scout.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/wait.h>
#include <time.h>

namespace forkall {

namespace {
constexpr size_t kMemory = 8 << 20;
}

long Scout::open() {
  long error = memory_.open(kMemory, true);
  if (failed(error)) return error;
  answer_ = memory_.take<Answer>(1);
  return answer_->mappings.open(memory_, kMaxMappings) ? 0 : -ENOMEM;
}

// Its end takes longer than its answer; it is over long before this.
void Scout::close() {
  if (pid_ > 0) sys(SYS_wait4, pid_, nullptr, __WALL, nullptr);
  pid_ = 0;
  memory_.close();
  answer_ = nullptr;
}

long Scout::start() {
  int tid;  // of no use: a child without CLONE_CHILD_SETTID writes none
  pid_ = arch::fork(0, &tid);  // no signal tells of its end
  if (pid_ != 0) return failed(pid_) ? pid_ : 0;
  const long fd = open_own("/proc/self/maps");
  answer_->error = failed(fd) ? fd : read_maps((int)fd, answer_->mappings);
  __atomic_store_n(&answer_->given, 1, __ATOMIC_RELEASE);
  sys(SYS_futex, &answer_->given, FUTEX_WAKE, 1);
  sys(SYS_exit_group, 0);
  __builtin_unreachable();
}

bool Scout::ended() {
  long waited = sys(SYS_wait4, pid_, nullptr, __WALL | WNOHANG, nullptr);
  if (waited == 0 || waited == -EINTR) return false;
  pid_ = 0;
  return true;
}

long Scout::finish() {
  const struct timespec look = {0, 50000000};  // for one that was killed
  while (!__atomic_load_n(&answer_->given, __ATOMIC_ACQUIRE)) {
    sys(SYS_futex, &answer_->given, FUTEX_WAIT, 0, &look);
    if (!__atomic_load_n(&answer_->given, __ATOMIC_ACQUIRE) && ended())
      return -ECHILD;
  }
  return answer_->error;
}

}  // namespace forkall
