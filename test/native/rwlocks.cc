// A read-write lock names its writer, and counts its readers.
#include <time.h>

#include "check.h"

using check::Worker;

namespace {

pthread_rwlock_t read_held, write_held;
Worker readers[2], writer, waiting_reader, waiting_writer, patient_writer;

struct timespec much_later() {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += check::kDeadline / check::kSecond;
  return until;
}

void hold_to_read(Worker& self) {
  EQUAL(pthread_rwlock_rdlock(&read_held), 0);
  self.ready();
  self.await();
  EQUAL(pthread_rwlock_unlock(&read_held), 0);
}

void hold_to_write(Worker& self) {
  EQUAL(pthread_rwlock_wrlock(&write_held), 0);
  self.ready();
  self.await();
  EQUAL(pthread_rwlock_trywrlock(&write_held), EBUSY);
  EQUAL(pthread_rwlock_unlock(&write_held), 0);
}

void want_to_read(Worker& self) {
  self.ready();
  EQUAL(pthread_rwlock_rdlock(&write_held), 0);
  EQUAL(pthread_rwlock_unlock(&write_held), 0);
}

void want_to_write(Worker& self) {
  self.ready();
  EQUAL(pthread_rwlock_wrlock(&read_held), 0);
  EQUAL(pthread_rwlock_tryrdlock(&read_held), EBUSY);
  EQUAL(pthread_rwlock_unlock(&read_held), 0);
}

void want_to_write_in_time(Worker& self) {
  self.ready();
  const struct timespec until = much_later();
  EQUAL(pthread_rwlock_timedwrlock(&write_held, &until), 0);
  EQUAL(pthread_rwlock_tryrdlock(&write_held), EBUSY);
  EQUAL(pthread_rwlock_unlock(&write_held), 0);
}

void check_free(pthread_rwlock_t* lock) {
  EQUAL(pthread_rwlock_wrlock(lock), 0);
  EQUAL(pthread_rwlock_unlock(lock), 0);
  EQUAL(pthread_rwlock_rdlock(lock), 0);
  EQUAL(pthread_rwlock_tryrdlock(lock), 0);
  EQUAL(pthread_rwlock_unlock(lock), 0);
  EQUAL(pthread_rwlock_unlock(lock), 0);
  EQUAL(pthread_rwlock_destroy(lock), 0);
}

}  // namespace

CASE(rwlocks, "read-write locks held and waited for work in both processes") {
  EQUAL(pthread_rwlock_init(&read_held, nullptr), 0);
  EQUAL(pthread_rwlock_init(&write_held, nullptr), 0);
  for (Worker& reader : readers) {
    reader.start(hold_to_read, nullptr);
    reader.await_ready();
  }
  writer.start(hold_to_write, nullptr);
  writer.await_ready();
  waiting_writer.start(want_to_write, nullptr);
  waiting_reader.start(want_to_read, nullptr);
  patient_writer.start(want_to_write_in_time, nullptr);
  waiting_writer.await_blocked(SYS_futex);
  waiting_reader.await_blocked(SYS_futex);
  patient_writer.await_blocked(SYS_futex);
  check::in_each_generation([] {
    EQUAL(pthread_rwlock_trywrlock(&read_held), EBUSY);
    EQUAL(pthread_rwlock_tryrdlock(&write_held), EBUSY);
    for (Worker& reader : readers) {
      reader.go();
      reader.join();
    }
    waiting_writer.join();
    writer.go();
    writer.join();
    waiting_reader.join();
    patient_writer.join();
    check_free(&read_held);
    check_free(&write_held);
  });
}

CASE(rwlock_held_by_main,
     "a read-write lock held by the forking thread stays its own") {
  static pthread_rwlock_t lock;
  EQUAL(pthread_rwlock_init(&lock, nullptr), 0);
  EQUAL(pthread_rwlock_wrlock(&lock), 0);
  check::in_each_generation([] {
    EQUAL(pthread_rwlock_tryrdlock(&lock), EBUSY);
    EQUAL(pthread_rwlock_unlock(&lock), 0);
    check_free(&lock);
  });
}

namespace {

pthread_rwlock_t anvil;
uint32_t hammering = 1, inside = 0, blows = 0;

void hammer(Worker& self) {
  self.ready();
  while (__atomic_load_n(&hammering, __ATOMIC_ACQUIRE)) {
    EQUAL(pthread_rwlock_wrlock(&anvil), 0);
    EQUAL(__atomic_add_fetch(&inside, 1, __ATOMIC_ACQ_REL), 1);
    EQUAL(__atomic_sub_fetch(&inside, 1, __ATOMIC_ACQ_REL), 0);
    EQUAL(pthread_rwlock_unlock(&anvil), 0);
    EQUAL(pthread_rwlock_rdlock(&anvil), 0);
    EQUAL(__atomic_load_n(&inside, __ATOMIC_ACQUIRE), 0);
    EQUAL(pthread_rwlock_unlock(&anvil), 0);
    __atomic_add_fetch(&blows, 1, __ATOMIC_ACQ_REL);
  }
}

void finish(Worker* workers, int count) {
  constexpr uint32_t kMore = 5000;
  const uint64_t deadline = forkall::now() + check::kDeadline;
  const uint32_t before = __atomic_load_n(&blows, __ATOMIC_ACQUIRE);
  while (__atomic_load_n(&blows, __ATOMIC_ACQUIRE) - before < kMore) {
    CHECK(forkall::now() < deadline);
    check::sys(SYS_sched_yield);
  }
  __atomic_store_n(&hammering, 0, __ATOMIC_RELEASE);
  for (int i = 0; i < count; ++i) workers[i].join();
}

}  // namespace

CASE(rwlock_hammered,
     "threads that read and write under a lock all the time go on") {
  static Worker workers[4];
  EQUAL(pthread_rwlock_init(&anvil, nullptr), 0);
  for (Worker& worker : workers) worker.start(hammer, nullptr);
  for (int round = 0; round < 25; ++round) {
    const long child = check::fork_now();
    if (child == 0) {
      finish(workers, 4);
      check::leave_well();
    }
    check::await_child(child);
  }
  finish(workers, 4);
}
