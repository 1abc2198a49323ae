// Thread locals, joins, cancellation, births and deaths.
#include <alloca.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

using check::Worker;

namespace {

thread_local int local_number = 7;
thread_local char local_text[4096];
pthread_key_t key;
check::Counter destroyed;

void keep_locals(Worker& self) {
  local_number = self.number;
  memset(local_text, self.number, sizeof local_text);
  EQUAL(pthread_setspecific(key, &self), 0);
  errno = 1000 + self.number;
  self.ready();
  self.await();
  EQUAL(errno, 1000 + self.number);
  EQUAL(local_number, self.number);
  for (char each : local_text) EQUAL(each, self.number);
  CHECK(pthread_getspecific(key) == &self);
  self.result = &self;
}

}  // namespace

CASE(locals, "thread locals stay, and their destructors run") {
  constexpr int kWorkers = 5;
  static Worker workers[kWorkers];
  EQUAL(pthread_key_create(&key, [](void*) { destroyed.add(); }), 0);
  for (int i = 0; i < kWorkers; ++i) {
    workers[i].start(keep_locals, nullptr, i + 1);
    workers[i].await_ready();
  }
  local_number = 100;
  check::in_each_generation([] {
    for (Worker& worker : workers) worker.go();
    for (Worker& worker : workers) CHECK(worker.join() == &worker);
    EQUAL(destroyed.get(), kWorkers);
    EQUAL(local_number, 100);
    static Worker newborn;
    newborn.start(
        [](Worker&) {
          EQUAL(local_number, 7);
          EQUAL(local_text[100], 0);
          CHECK(pthread_getspecific(key) == nullptr);
        },
        nullptr);
    newborn.join();
  });
}

CASE(joins, "threads can be joined however far the joiner had got") {
  static Worker ended, joined, joiner, detached, detached_later;
  static const auto work = [](Worker& self) {
    self.result = &self;
    self.ready();
    self.await();
    self.done();
  };
  ended.start(work, nullptr);
  ended.go();
  ended.await_done();
  check::await_end(ended.tid);
  joined.start(work, nullptr);
  joiner.start(
      [](Worker& self) {
        CHECK(joined.join() == &joined);
        self.done();
      },
      nullptr);
  joiner.await_blocked(SYS_futex);
  detached.start(work, nullptr);
  EQUAL(pthread_detach(detached.thread), 0);
  detached_later.start(work, nullptr);
  check::in_each_generation([] {
    CHECK(ended.join() == &ended);
    EQUAL(pthread_kill(joiner.thread, 0), 0);
    joined.go();
    joiner.join();
    EQUAL(pthread_detach(detached_later.thread), 0);
    detached.go();
    detached_later.go();
    detached.await_done();
    detached_later.await_done();
  });
}

namespace {

check::Counter small_ready, small_go;

// Room is left for the frame of a signal, of 3 KiB with AVX-512, and no more.
[[gnu::noinline]] void* use_up_stack(void* low) {
  constexpr uintptr_t kLeft = (check::kShadowed ? 24 : 6) << 10;
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  auto* room = (volatile char*)alloca(here - (uintptr_t)low - kLeft);
  room[0] = 1;
  small_ready.add();
  small_go.wait(1);
  return room[0] == 1 ? low : nullptr;
}

}  // namespace

CASE(small_stacks,
     "a thread with next to no stack left is stopped and revived") {
  constexpr size_t kSize = 64 << 10;
  alignas(4096) static char stacks[4][kSize];
  static pthread_t threads[4];
  pthread_attr_t small;
  pthread_attr_init(&small);
  for (int i = 0; i < 4; ++i) {
    EQUAL(pthread_attr_setstack(&small, stacks[i], kSize), 0);
    EQUAL(pthread_create(&threads[i], &small, use_up_stack, stacks[i]), 0);
  }
  small_ready.wait(4);
  check::in_each_generation([] {
    small_go.add();
    for (int i = 0; i < 4; ++i) {
      void* value = nullptr;
      EQUAL(pthread_join(threads[i], &value), 0);
      CHECK(value == stacks[i]);
    }
    // What lay below, of another thread or nobody, is as it was.
    for (auto& stack : stacks) EQUAL(stack[0], 0);
  });
}

namespace {

Worker canceled[3];
check::Counter cleaned;
int silent[2];

void end_by_cancellation(Worker& self) {
  EQUAL(pthread_setspecific(key, &self), 0);
  self.ready();
  char byte;
  if (self.number == 0) {
    for (;;) pthread_testcancel();
  }
  if (self.number == 1) read(silent[0], &byte, 1);
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  pthread_mutex_lock(&mutex);
  for (;;) pthread_cond_wait(&condition, &mutex);
}

void cancel_all() {
  for (Worker& each : canceled) EQUAL(pthread_cancel(each.thread), 0);
  for (Worker& each : canceled) CHECK(each.join() == PTHREAD_CANCELED);
}

}  // namespace

CASE(cancellation, "pthread_cancel() works in both processes") {
  EQUAL(pipe(silent), 0);
  EQUAL(pthread_key_create(&key, [](void*) { cleaned.add(); }), 0);
  for (int i = 0; i < 3; ++i)
    canceled[i].start(end_by_cancellation, nullptr, i);
  canceled[1].await_blocked(SYS_read);
  canceled[2].await_blocked(SYS_futex);
  check::in_each_generation([] {
    cancel_all();
    EQUAL(cleaned.get(), 3);
    // The signal that was used can be used again.
    const long child = check::fork_now();
    if (child == 0) check::leave_well();
    check::await_child(child);
  });
}

CASE(cancellation_pending,
     "a thread that defers its cancellation is canceled in both processes") {
  if (check::kShadowed)
    check::skip(
        "AddressSanitizer takes a canceled thread's frames for its own");
  static Worker deferring;
  deferring.start(
      [](Worker& self) {
        int old;
        EQUAL(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old), 0);
        self.ready();
        self.await();
        EQUAL(pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old), 0);
        for (;;) pthread_testcancel();
      },
      nullptr);
  deferring.await_ready();
  EQUAL(pthread_cancel(deferring.thread), 0);
  check::in_each_generation([] {
    deferring.go();
    CHECK(deferring.join() == PTHREAD_CANCELED);
  });
}

namespace {

uint32_t breeding = 1;
uint32_t births = 0;

void* live_briefly(void* value) {
  void* memory = malloc((size_t)value * 100 + 1);
  memset(memory, 1, (size_t)value * 100 + 1);
  free(memory);
  return value;
}

// Half of the children are detached: they free their own stacks when they end,
// and so many at once that the library gives the kernel some of them back.
void breed(Worker& self) {
  constexpr size_t kLitter = 12;
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  while (__atomic_load_n(&breeding, __ATOMIC_ACQUIRE)) {
    pthread_t children[kLitter];
    size_t born = 0;
    for (; born < kLitter; ++born) {
      const int error =
          pthread_create(&children[born], born % 2 ? &detached : nullptr,
                         live_briefly, (void*)born);
      if (error == EAGAIN) break;  // too many are still on their way out
      EQUAL(error, 0);
    }
    for (size_t i = 0; i < born; i += 2) {
      void* value = nullptr;
      EQUAL(pthread_join(children[i], &value), 0);
      CHECK(value == (void*)i);
    }
    __atomic_add_fetch(&births, born, __ATOMIC_ACQ_REL);
  }
  self.done();
}

void end_breeding(Worker* breeders, int count) {
  constexpr uint32_t kMore = 50;
  const uint64_t deadline = forkall::now() + check::kDeadline;
  const uint32_t before = __atomic_load_n(&births, __ATOMIC_ACQUIRE);
  while (__atomic_load_n(&births, __ATOMIC_ACQUIRE) - before < kMore) {
    CHECK(forkall::now() < deadline);
    check::sys(SYS_sched_yield);
  }
  __atomic_store_n(&breeding, 0, __ATOMIC_RELEASE);
  for (int i = 0; i < count; ++i) breeders[i].join();
}

}  // namespace

CASE(births_and_deaths,
     "forks while threads are born and die leave all of them going on") {
  constexpr int kBreeders = 3, kForks = check::kShadowed ? 20 : 200;
  static Worker breeders[kBreeders];
  for (Worker& breeder : breeders) breeder.start(breed, nullptr);
  for (int round = 0; round < kForks; ++round) {
    const long child = check::fork_now();
    if (child == 0) {
      end_breeding(breeders, kBreeders);
      check::leave_well();
    }
    check::await_child(child);
  }
  end_breeding(breeders, kBreeders);
}
