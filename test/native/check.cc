#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forkall/libc/libc.h"

namespace check {

namespace {

constexpr unsigned kAlarm = 60;  // s; a process that hangs ends itself
constexpr int kSkipped = 77;

Case* first_case = nullptr;
const char* running = "";

// A file of the format that vfprintf() would need a lock of stdio for.
void say(const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  const size_t size =
      (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
  forkall::write_all(STDERR_FILENO, text, size);
}

}  // namespace

Case::Case(const char* name, const char* title, void (*run)())
    : name(name), title(title), run(run), next(nullptr) {
  Case** last = &first_case;
  while (*last) last = &(*last)->next;
  *last = this;
}

void fail(const char* file, int line, const char* text, long actual,
          long expected) {
  say("%s: pid %d tid %ld: %s:%d: %s is %ld, not %ld (errno %d)\n", running,
      getpid(), sys(SYS_gettid), file, line, text, actual, expected, errno);
  _exit(1);
}

void skip(const char* reason) {
  say("%s\n", reason);
  _exit(kSkipped);
}

void give_up_root() {
  if (geteuid() != 0) skip("needs root, to become another user");
  // Only root may see which pages of a process that was root are in use.
  if (kShadowed) skip("AddressSanitizer's memory is too large for mincore(2)");
  const unsigned id = 1000000 + (unsigned)getpid();
  EQUAL(setgid(id), 0);
  EQUAL(setuid(id), 0);
}

void Counter::add(uint32_t more) {
  __atomic_add_fetch(&value_, more, __ATOMIC_ACQ_REL);
  forkall::futex_wake(&value_);
}

void Counter::wait(uint32_t value) {
  const uint64_t deadline = forkall::now() + kDeadline;
  for (uint32_t seen; (seen = get()) < value;) {
    CHECK(forkall::now() < deadline);
    forkall::futex_wait(&value_, seen, deadline);
  }
}

void Worker::start(Work work, void* shared_data, int own_number) {
  work_ = work;
  shared = shared_data;
  number = own_number;
  EQUAL(pthread_create(&thread, nullptr, run, this), 0);
  const uint64_t deadline = forkall::now() + kDeadline;
  while (__atomic_load_n(&tid, __ATOMIC_ACQUIRE) == 0) {
    CHECK(forkall::now() < deadline);
    sys(SYS_sched_yield);
  }
}

void* Worker::run(void* argument) {
  auto* self = (Worker*)argument;
  __atomic_store_n(&self->tid, (int)sys(SYS_gettid), __ATOMIC_RELEASE);
  self->work_(*self);
  check_self();
  // It may be another one than at the beginning.
  __atomic_store_n(&self->tid, (int)sys(SYS_gettid), __ATOMIC_RELEASE);
  return self->result;
}

void* Worker::join() {
  void* value = nullptr;
  EQUAL(pthread_join(thread, &value), 0);
  await_end(tid);
  return value;
}

void Worker::await_blocked(long number) { check::await_blocked(tid, number); }

void await_blocked(int tid, long number) {
  char path[64], text[256];
  snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
  const uint64_t deadline = forkall::now() + kDeadline;
  for (;;) {
    read_text(path, text, sizeof text);
    if (text[0] >= '0' && text[0] <= '9' && atol(text) == number) return;
    CHECK(forkall::now() < deadline);
    sys(SYS_sched_yield);
  }
}

void await_end(int tid) {
  const uint64_t deadline = forkall::now() + kDeadline;
  while (sys(SYS_tgkill, getpid(), tid, 0) != -ESRCH) {
    CHECK(forkall::now() < deadline);
    sys(SYS_sched_yield);
  }
}

void read_text(const char* path, char* text, size_t size) {
  const long length = forkall::read_file(path, text, size);
  if (forkall::failed(length)) fail(path, 0, "read_file", length, 0);
}

long number_behind(const char* text, const char* key) {
  const char* at = strstr(text, key);
  return at ? atol(at + strlen(key)) : -1;
}

long fork_now() {
  const forkall::Result result = forkall::fork(kDeadline);
  if (result.error) {
    say("fork: step %u, thread %.16s\n", (unsigned)result.step, result.thread);
    EQUAL(result.error, 0);
  }
  if (result.pid == 0) alarm(kAlarm);
  return result.pid;
}

void check_self() {
  const long tid = sys(SYS_gettid);
  ptrdiff_t offset = 0;
  if (tid == getpid()) CHECK(libc::find_tid_offset((int)tid, &offset));
  // Only the owner of an error-checking or recursive mutex can be told so.
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutex_t mutex;
  pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&mutex, &attributes);
  EQUAL(pthread_mutex_unlock(&mutex), EPERM);
  EQUAL(pthread_mutex_lock(&mutex), 0);
  EQUAL(pthread_mutex_lock(&mutex), EDEADLK);
  EQUAL(pthread_mutex_unlock(&mutex), 0);
  // The kernel knows the thread by the number that the library has for it.
  EQUAL(pthread_kill(pthread_self(), 0), 0);
  char name[16], kernels[17] = {};
  EQUAL(pthread_getname_np(pthread_self(), name, sizeof name), 0);
  sys(SYS_prctl, 16 /* PR_GET_NAME */, kernels);
  CHECK(strcmp(name, kernels) == 0);
  void* head = nullptr;
  size_t size = 0;
  EQUAL(sys(SYS_get_robust_list, 0, &head, &size), 0);
  if (void* area = libc::rseq_area()) {
    CHECK(head != nullptr);
    // EBUSY: registered, with this size.
    constexpr uint32_t kFeatureSize = 27;  // AT_RSEQ_FEATURE_SIZE
    const long larger = ((long)getauxval(kFeatureSize) + 31) / 32 * 32;
    const uint32_t signature = arch::kRseqSignature;
    if (sys(SYS_rseq, area, 32, 0, signature) != -EBUSY)
      EQUAL(sys(SYS_rseq, area, larger, 0, signature), -EBUSY);
  }
}

uint64_t thread_names() {
  const long directory = sys(SYS_openat, AT_FDCWD, "/proc/self/task",
                             O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  CHECK(!forkall::failed(directory));
  uint64_t sum = 0;
  forkall::each_number((int)directory, [&](int tid) {
    char path[64], name[32];
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", tid);
    if (forkall::read_file(path, name, sizeof name) <= 0) return;
    uint64_t hash = 14695981039346656037ull;
    for (const char* at = name; *at; ++at)
      hash = (hash ^ (unsigned char)*at) * 1099511628211ull;
    sum += hash;
  });
  sys(SYS_close, directory);
  return sum;
}

void leave_well() { _exit(0); }

int exit_status(long pid) {
  int status = 0;
  pid_t waited;
  do waited = waitpid((pid_t)pid, &status, 0);
  while (waited < 0 && errno == EINTR);
  EQUAL(waited, pid);
  return status;
}

void await_child(long pid) { EQUAL(exit_status(pid), 0); }

}  // namespace check

// usage: runner          prints "name title" of every case
//        runner NAME     runs one: status 0, 1, or 77 when it is skipped
int main(int count, char** arguments) {
  using namespace check;
  if (count < 2) {
    for (Case* each = first_case; each; each = each->next)
      printf("%s %s\n", each->name, each->title);
    return 0;
  }
  for (Case* each = first_case; each; each = each->next) {
    if (strcmp(each->name, arguments[1]) != 0) continue;
    running = each->name;
    alarm(kAlarm);
    if (const char* reason = forkall::unsupported()) skip(reason);
    each->run();
    return 0;
  }
  fprintf(stderr, "no such case: %s\n", arguments[1]);
  return 2;
}
