// Condition variables, semaphores, barriers, pthread_once().
#include <semaphore.h>
#include <time.h>

#include "mutex_kinds.h"

using check::kMutexKindCount;
using check::kMutexKinds;
using check::Worker;

namespace {

struct timespec later(uint64_t nanoseconds) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  const uint64_t sum = (uint64_t)until.tv_nsec + nanoseconds;
  until.tv_sec += (time_t)(sum / check::kSecond);
  until.tv_nsec = (long)(sum % check::kSecond);
  return until;
}

struct Meeting {
  const check::MutexKind* kind;
  pthread_mutex_t mutex;
  pthread_cond_t condition;
  bool open;
  Worker waiters[2];
};

Meeting meetings[32];

void wait_for_it(Worker& self) {
  auto& meeting = *(Meeting*)self.shared;
  EQUAL(pthread_mutex_lock(&meeting.mutex), 0);
  self.ready();
  while (!meeting.open) {
    const struct timespec until = later(check::kDeadline);
    const int error =
        self.number == 0 ? pthread_cond_wait(&meeting.condition, &meeting.mutex)
                         : pthread_cond_timedwait(&meeting.condition,
                                                  &meeting.mutex, &until);
    EQUAL(error, 0);
  }
  check::check_owner(&meeting.mutex, *meeting.kind);
  EQUAL(pthread_mutex_unlock(&meeting.mutex), 0);
}

}  // namespace

CASE(conditions,
     "a thread that waits for a condition wakes as the owner of its mutex") {
  for (int i = 0; i < kMutexKindCount; ++i) {
    Meeting& meeting = meetings[i];
    if (!check::make_mutex(&meeting.mutex, kMutexKinds[i])) continue;
    meeting.kind = &kMutexKinds[i];
    EQUAL(pthread_cond_init(&meeting.condition, nullptr), 0);
    for (int number = 0; number < 2; ++number) {
      Worker& waiter = meeting.waiters[number];
      waiter.start(wait_for_it, &meeting, number);
      waiter.await_ready();
      waiter.await_blocked(SYS_futex);
    }
  }
  check::in_each_generation([] {
    for (Meeting& meeting : meetings) {
      if (!meeting.kind) continue;
      EQUAL(pthread_mutex_lock(&meeting.mutex), 0);
      meeting.open = true;
      EQUAL(pthread_cond_broadcast(&meeting.condition), 0);
      EQUAL(pthread_mutex_unlock(&meeting.mutex), 0);
      for (Worker& waiter : meeting.waiters) waiter.join();
    }
  });
}

CASE(condition_limits, "a condition's time limit holds in both processes") {
  static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
  constexpr uint64_t kLimit = check::kSecond / 5;
  static Worker waiter;
  waiter.start(
      [](Worker& self) {
        const struct timespec until = later(kLimit);
        EQUAL(pthread_mutex_lock(&mutex), 0);
        int error;
        do error = pthread_cond_timedwait(&condition, &mutex, &until);
        while (error == 0);
        EQUAL(error, ETIMEDOUT);
        struct timespec time;
        clock_gettime(CLOCK_REALTIME, &time);
        CHECK(time.tv_sec > until.tv_sec ||
              (time.tv_sec == until.tv_sec && time.tv_nsec >= until.tv_nsec));
        EQUAL(pthread_mutex_unlock(&mutex), 0);
        self.await();
      },
      nullptr);
  waiter.await_blocked(SYS_futex);
  check::in_each_generation([] {
    waiter.go();
    waiter.join();
  });
}

CASE(semaphores, "semaphores keep their count and their waiters") {
  static sem_t empty, full;
  EQUAL(sem_init(&empty, 0, 0), 0);
  EQUAL(sem_init(&full, 0, 3), 0);
  static Worker waiters[2];
  for (int number = 0; number < 2; ++number) {
    waiters[number].start(
        [](Worker& self) {
          const struct timespec until = later(check::kDeadline);
          int result;
          do
            result = self.number == 0 ? sem_wait(&empty)
                                      : sem_timedwait(&empty, &until);
          while (result < 0 && errno == EINTR);
          EQUAL(result, 0);
        },
        nullptr, number);
    waiters[number].await_blocked(SYS_futex);
  }
  check::in_each_generation([] {
    for (int i = 0; i < 2; ++i) EQUAL(sem_post(&empty), 0);
    for (Worker& waiter : waiters) waiter.join();
    EQUAL(sem_trywait(&empty), -1);
    int value = 0;
    EQUAL(sem_getvalue(&full, &value), 0);
    EQUAL(value, 3);
    for (int i = 0; i < 3; ++i) EQUAL(sem_trywait(&full), 0);
    EQUAL(sem_trywait(&full), -1);
  });
}

CASE(barriers, "a barrier that is half full opens when the rest has come") {
  static pthread_barrier_t barrier;
  static Worker early[3], late[2];
  static uint32_t serial = 0;
  EQUAL(pthread_barrier_init(&barrier, nullptr, 6), 0);
  static const auto meet = [](Worker&) {
    for (int round = 0; round < 3; ++round) {
      const int result = pthread_barrier_wait(&barrier);
      if (result == PTHREAD_BARRIER_SERIAL_THREAD)
        __atomic_add_fetch(&serial, 1, __ATOMIC_ACQ_REL);
      else
        EQUAL(result, 0);
    }
  };
  for (Worker& worker : early) {
    worker.start(meet, nullptr);
    worker.await_blocked(SYS_futex);
  }
  check::in_each_generation([] {
    for (Worker& worker : late) worker.start(meet, nullptr);
    static Worker self;
    meet(self);
    for (Worker& worker : early) worker.join();
    for (Worker& worker : late) worker.join();
    EQUAL(serial, 3);
    EQUAL(pthread_barrier_destroy(&barrier), 0);
  });
}

CASE(once, "pthread_once() under way is ended, once, by who began it") {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  static Worker first, second;
  static int calls = 0;
  static const auto initialize = [] {
    ++calls;
    first.ready();
    first.await();
  };
  static const auto work = [](Worker&) {
    EQUAL(pthread_once(&once, initialize), 0);
    EQUAL(calls, 1);
  };
  first.start(work, nullptr);
  first.await_ready();
  second.start(work, nullptr);
  second.await_blocked(SYS_futex);
  check::in_each_generation([] {
    first.go();
    first.join();
    second.join();
    EQUAL(pthread_once(&once, initialize), 0);
    EQUAL(calls, 1);
  });
}
