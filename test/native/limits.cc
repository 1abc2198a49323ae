// What a process may not do, and what there is too little of.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

using check::sys;
using check::Worker;

namespace {

constexpr int kWorkers = 5;
Worker workers[kWorkers];

void wait_to_end(Worker& self) {
  self.ready();
  self.await();
}

void start_workers() {
  for (Worker& worker : workers) {
    worker.start(wait_to_end, nullptr);
    worker.await_ready();
  }
}

void end_workers() {
  for (Worker& worker : workers) {
    worker.go();
    worker.join();
  }
}

void set_limit(int resource, rlim_t limit) {
  struct rlimit both;
  EQUAL(getrlimit(resource, &both), 0);
  both.rlim_cur = limit;
  EQUAL(setrlimit(resource, &both), 0);
}

void check_no_child() {
  EQUAL(waitpid(-1, nullptr, __WALL), -1);
  EQUAL(errno, ECHILD);
}

}  // namespace

CASE(process_limit,
     "EAGAIN from RLIMIT_NPROC at any step of a fork harms nobody") {
  check::give_up_root();
  start_workers();
  struct rlimit old;
  EQUAL(getrlimit(RLIMIT_NPROC, &old), 0);
  const uint64_t names = check::thread_names();
  bool refused[(size_t)forkall::Step::kCount] = {};
  // From "not even one" to "all but the last thread".
  for (int more = 0; more < 1 + kWorkers; ++more) {
    set_limit(RLIMIT_NPROC, (rlim_t)(1 + kWorkers + more));
    const forkall::Result result = forkall::fork(check::kDeadline);
    EQUAL(result.error, -EAGAIN);
    refused[(size_t)result.step] = true;
    check_no_child();
    CHECK(check::thread_names() == names);
  }
  CHECK(refused[(size_t)forkall::Step::kSurvey]);
  CHECK(refused[(size_t)forkall::Step::kRevive]);
  set_limit(RLIMIT_NPROC, old.rlim_cur);
  check::in_each_generation(end_workers);
  check_no_child();
}

CASE(memory_limit, "ENOMEM from RLIMIT_AS harms nobody") {
  start_workers();
  char text[256];
  check::read_text("/proc/self/statm", text, sizeof text);
  const rlim_t used = (rlim_t)atol(text) * 4096;
  bool forked = false;
  for (rlim_t more = 1 << 20; !forked; more *= 2) {
    set_limit(RLIMIT_AS, used + more);
    const forkall::Result result = forkall::fork(check::kDeadline);
    forked = result.error == 0;
    if (!forked) {
      EQUAL(result.error, -ENOMEM);
      check_no_child();
    } else {
      end_workers();
      if (result.pid == 0) check::leave_well();
      check::await_child(result.pid);
      CHECK(more > 1 << 20);
    }
  }
}

CASE(not_dumpable, "a process that gave up root can fork") {
  static pthread_mutex_t mutex;
  pthread_mutexattr_t recursive;
  pthread_mutexattr_init(&recursive);
  pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
  EQUAL(pthread_mutex_init(&mutex, &recursive), 0);
  check::give_up_root();
  EQUAL(open("/proc/self/pagemap", O_RDONLY), -1);
  EQUAL(errno, EACCES);
  static Worker holder;
  holder.start(
      [](Worker& self) {
        EQUAL(pthread_mutex_lock(&mutex), 0);
        self.ready();
        self.await();
        EQUAL(pthread_mutex_lock(&mutex), 0);
        EQUAL(pthread_mutex_unlock(&mutex), 0);
        EQUAL(pthread_mutex_unlock(&mutex), 0);
      },
      nullptr);
  holder.await_ready();
  check::in_each_generation([] {
    EQUAL(pthread_mutex_trylock(&mutex), EBUSY);
    holder.go();
    holder.join();
    EQUAL(pthread_mutex_lock(&mutex), 0);
  });
}

CASE(large_pipe, "ENOBUFS: a pipe's content does not fit into a new one") {
  constexpr int kLarge = 1 << 20, kUsual = 1 << 16;
  static char content[kLarge];
  int ends[2], others[2];
  check::give_up_root();
  EQUAL(pipe2(ends, O_CLOEXEC), 0);
  EQUAL(fcntl(ends[1], F_SETPIPE_SZ, kLarge), kLarge);
  EQUAL(write(ends[1], content, kLarge), kLarge);
  // All that a user may have: then new pipes are small and stay so.
  for (int room = kLarge; room >= kUsual;) {
    EQUAL(pipe(others), 0);
    room = fcntl(others[1], F_SETPIPE_SZ, kLarge);
    if (room < 0) room = fcntl(others[1], F_GETPIPE_SZ);
    close(others[1]);
    if (others[0] > 900) check::skip("needs a limit for the pipes of a user");
  }
  start_workers();
  const forkall::Result result = forkall::fork(check::kDeadline);
  EQUAL(result.error, -ENOBUFS);
  check_no_child();
  EQUAL(forkall::read_all(ends[0], content, kLarge), kLarge);
  check::in_each_generation(end_workers);
}

CASE(many_threads, "500 threads are forked, three times") {
  constexpr int kMany = 500;
  static Worker many[kMany];
  for (Worker& each : many) each.start(wait_to_end, nullptr);
  for (Worker& each : many) each.await_ready();
  check::in_each_generation([] {
    for (Worker& each : many) each.go();
    for (Worker& each : many) each.join();
  });
}

CASE(ignored_children, "a process that ignores SIGCHLD can fork") {
  EQUAL(signal(SIGCHLD, SIG_IGN) != SIG_ERR, 1);
  start_workers();
  int ends[2];
  EQUAL(pipe(ends), 0);
  for (int i = 0; i < 10; ++i) {
    const long child = check::fork_now();
    if (child == 0) {
      end_workers();
      EQUAL(write(ends[1], "x", 1), 1);
      check::leave_well();
    }
    char byte;
    EQUAL(read(ends[0], &byte, 1), 1);
    EQUAL(waitpid((pid_t)child, nullptr, 0), -1);
  }
  end_workers();
}

CASE(not_first, "only the first thread can fork") {
  static Worker other;
  other.start([](Worker&) { CHECK(forkall::unsupported() != nullptr); },
              nullptr);
  other.join();
  CHECK(forkall::unsupported() == nullptr);
}
