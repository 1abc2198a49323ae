// A mutex names its owner by a number that is another one in the child.
#include <stdio.h>
#include <time.h>

#include "mutex_kinds.h"

using check::kMutexKindCount;
using check::kMutexKinds;
using check::MutexKind;
using check::Worker;

namespace {

struct Shared {
  const MutexKind* kind;
  pthread_mutex_t mutex;
  bool timed;
};

int lock(Shared& shared) {
  if (!shared.timed) return pthread_mutex_lock(&shared.mutex);
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += check::kDeadline / check::kSecond;
  return pthread_mutex_timedlock(&shared.mutex, &until);
}

void release(Shared& shared) {
  check::check_owner(&shared.mutex, *shared.kind);
  EQUAL(pthread_mutex_unlock(&shared.mutex), 0);
}

void hold(Worker& self) {
  auto& shared = *(Shared*)self.shared;
  EQUAL(pthread_mutex_lock(&shared.mutex), 0);
  if (shared.kind->recursive()) EQUAL(pthread_mutex_lock(&shared.mutex), 0);
  self.ready();
  self.await();
  if (shared.kind->recursive()) EQUAL(pthread_mutex_unlock(&shared.mutex), 0);
  release(shared);
  self.done();
}

void want(Worker& self) {
  auto& shared = *(Shared*)self.shared;
  self.ready();
  EQUAL(lock(shared), 0);
  release(shared);
  self.done();
}

// One mutex of each kind, and a thread in every role.
struct Scene {
  Shared shared;
  Worker holder, waiters[2];
  bool made;
};

Scene scenes[32];

void set_up(bool waiters, bool timed) {
  for (int i = 0; i < kMutexKindCount; ++i) {
    Scene& scene = scenes[i];
    scene.shared.kind = &kMutexKinds[i];
    scene.shared.timed = timed;
    scene.made = check::make_mutex(&scene.shared.mutex, kMutexKinds[i]);
    if (!scene.made) continue;
    scene.holder.start(hold, &scene.shared);
    scene.holder.await_ready();
    if (!waiters) continue;
    for (Worker& waiter : scene.waiters) {
      waiter.start(want, &scene.shared);
      waiter.await_ready();
      waiter.await_blocked(SYS_futex);
    }
  }
}

void tear_down(bool waiters) {
  for (Scene& scene : scenes) {
    if (!scene.made) continue;
    check::check_stranger(&scene.shared.mutex, *scene.shared.kind);
    scene.holder.go();
    scene.holder.join();
    for (Worker& waiter : scene.waiters)
      if (waiters) waiter.join();
    EQUAL(pthread_mutex_lock(&scene.shared.mutex), 0);
    release(scene.shared);
    EQUAL(pthread_mutex_destroy(&scene.shared.mutex), 0);
  }
}

}  // namespace

CASE(mutexes_held, "a mutex of any kind that is held stays its owner's") {
  set_up(false, false);
  check::in_each_generation([] { tear_down(false); });
}

CASE(mutexes_held_by_main,
     "a mutex of any kind held by the forking thread stays its own") {
  static Shared held[32];
  for (int i = 0; i < kMutexKindCount; ++i) {
    if (!check::make_mutex(&held[i].mutex, kMutexKinds[i])) continue;
    held[i].kind = &kMutexKinds[i];
    EQUAL(pthread_mutex_lock(&held[i].mutex), 0);
  }
  check::in_each_generation([] {
    for (Shared& each : held) {
      if (!each.kind) continue;
      static Worker stranger;
      stranger = {};
      stranger.start(
          [](Worker& self) {
            auto& shared = *(Shared*)self.shared;
            check::check_stranger(&shared.mutex, *shared.kind);
          },
          &each);
      stranger.join();
      release(each);
    }
  });
}

CASE(mutexes_waited_for,
     "a thread that waits for a mutex of any kind gets it, and can unlock it") {
  set_up(true, false);
  check::in_each_generation([] { tear_down(true); });
}

CASE(mutexes_waited_for_with_a_limit,
     "likewise one that waits in pthread_mutex_timedlock()") {
  set_up(true, true);
  check::in_each_generation([] { tear_down(true); });
}

namespace {

// What a robust mutex is for: its owner ends without unlocking it.
void abandon(Worker& self) {
  auto& shared = *(Shared*)self.shared;
  EQUAL(pthread_mutex_lock(&shared.mutex), 0);
  self.ready();
  self.await();
}

void inherit(Worker& self) {
  auto& shared = *(Shared*)self.shared;
  self.ready();
  EQUAL(pthread_mutex_lock(&shared.mutex), EOWNERDEAD);
  EQUAL(pthread_mutex_consistent(&shared.mutex), 0);
  release(shared);
}

}  // namespace

CASE(mutexes_abandoned,
     "a robust mutex whose owner ends after the fork gives EOWNERDEAD") {
  static Scene heirs[32];
  for (int i = 0; i < kMutexKindCount; ++i) {
    Scene& scene = heirs[i];
    scene.shared.kind = &kMutexKinds[i];
    scene.made = kMutexKinds[i].robust &&
                 check::make_mutex(&scene.shared.mutex, kMutexKinds[i]);
    if (!scene.made) continue;
    scene.holder.start(abandon, &scene.shared);
    scene.holder.await_ready();
    scene.waiters[0].start(inherit, &scene.shared);
    scene.waiters[0].await_blocked(SYS_futex);
  }
  check::in_each_generation([] {
    for (Scene& scene : heirs) {
      if (!scene.made) continue;
      scene.holder.go();
      scene.holder.join();
      scene.waiters[0].join();
      EQUAL(pthread_mutex_lock(&scene.shared.mutex), 0);
      release(scene.shared);
    }
  });
}

CASE(mutexes_inconsistent,
     "a robust mutex found EOWNERDEAD before the fork can be made consistent") {
  static Scene left[32];
  for (int i = 0; i < kMutexKindCount; ++i) {
    Scene& scene = left[i];
    scene.shared.kind = &kMutexKinds[i];
    scene.made = kMutexKinds[i].robust &&
                 check::make_mutex(&scene.shared.mutex, kMutexKinds[i]);
    if (!scene.made) continue;
    scene.holder.start(abandon, &scene.shared);
    scene.holder.go();
    scene.holder.join();
    scene.waiters[0].start(
        [](Worker& self) {
          auto& shared = *(Shared*)self.shared;
          EQUAL(pthread_mutex_lock(&shared.mutex), EOWNERDEAD);
          self.ready();
          self.await();
          EQUAL(pthread_mutex_consistent(&shared.mutex), 0);
          release(shared);
        },
        &scene.shared);
    scene.waiters[0].await_ready();
  }
  check::in_each_generation([] {
    for (Scene& scene : left) {
      if (!scene.made) continue;
      EQUAL(pthread_mutex_trylock(&scene.shared.mutex), EBUSY);
      scene.waiters[0].go();
      scene.waiters[0].join();
    }
  });
}

namespace {

constexpr int kHammers = 4;
constexpr int kBlows = 50;  // that each must still strike in each process
uint32_t hammering = 1;
uint32_t blows[kHammers];
pthread_mutex_t anvils[32];
bool anvil_made[32];

// Locks in every way, so that a fork finds the threads at every instruction.
void hammer(Worker& self) {
  self.ready();
  while (__atomic_load_n(&hammering, __ATOMIC_ACQUIRE)) {
    for (int i = 0; i < kMutexKindCount; ++i) {
      if (!anvil_made[i]) continue;
      if (self.number % 2 == 0) {
        EQUAL(pthread_mutex_lock(&anvils[i]), 0);
      } else if (self.number == 1) {
        if (pthread_mutex_trylock(&anvils[i]) != 0) continue;
      } else {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += check::kDeadline / check::kSecond;
        EQUAL(pthread_mutex_timedlock(&anvils[i], &until), 0);
      }
      check::check_owner(&anvils[i], kMutexKinds[i]);
      EQUAL(pthread_mutex_unlock(&anvils[i]), 0);
    }
    __atomic_add_fetch(&blows[self.number], 1, __ATOMIC_ACQ_REL);
  }
}

void strike_on() {
  const uint64_t deadline = forkall::now() + check::kDeadline;
  for (uint32_t& count : blows) {
    const uint32_t goal = __atomic_load_n(&count, __ATOMIC_ACQUIRE) + kBlows;
    while ((int32_t)(__atomic_load_n(&count, __ATOMIC_ACQUIRE) - goal) < 0) {
      CHECK(forkall::now() < deadline);
      check::sys(SYS_sched_yield);
    }
  }
}

}  // namespace

CASE(mutexes_hammered,
     "threads that lock and unlock all the time go on in both processes") {
  static Worker workers[kHammers];
  for (int i = 0; i < kMutexKindCount; ++i)
    anvil_made[i] = check::make_mutex(&anvils[i], kMutexKinds[i]);
  for (int i = 0; i < kHammers; ++i) workers[i].start(hammer, nullptr, i);
  for (int round = 0; round < 12; ++round) {
    const long child = check::fork_now();
    if (child == 0) {
      strike_on();
      __atomic_store_n(&hammering, 0, __ATOMIC_RELEASE);
      for (Worker& worker : workers) worker.join();
      check::leave_well();
    }
    check::await_child(child);
  }
  strike_on();
  __atomic_store_n(&hammering, 0, __ATOMIC_RELEASE);
  for (Worker& worker : workers) worker.join();
}
