// What the kernel keeps of a thread and would not copy.
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"

using check::sys;
using check::Worker;

namespace {

struct Attributes {
  const char* name;
  int nice, policy;
};

const Attributes kAttributes[] = {
    {"plain", 0, SCHED_OTHER},     {"fifteen-letters", 5, SCHED_OTHER},
    {"a (b) c\n", 3, SCHED_BATCH}, {"idle", 0, SCHED_IDLE},
    {"", 19, SCHED_OTHER},
};
constexpr int kCount = sizeof kAttributes / sizeof kAttributes[0];
Worker workers[kCount];

void check_attributes(const Attributes& expected) {
  char name[17] = {};
  sys(SYS_prctl, 16 /* PR_GET_NAME */, name);
  CHECK(strcmp(name, expected.name) == 0);
  errno = 0;
  EQUAL(getpriority(PRIO_PROCESS, 0), expected.nice);
  EQUAL(errno, 0);
  EQUAL(sys(SYS_sched_getscheduler, 0), expected.policy);
}

void take_attributes(Worker& self) {
  const Attributes& own = kAttributes[self.number];
  struct sched_param none = {};
  sys(SYS_prctl, 15 /* PR_SET_NAME */, own.name);
  EQUAL(sys(SYS_sched_setscheduler, 0, own.policy, &none), 0);
  EQUAL(setpriority(PRIO_PROCESS, 0, own.nice), 0);
  self.ready();
  self.await();
  check_attributes(own);
}

}  // namespace

CASE(attributes, "name, nice value and scheduling policy stay each thread's") {
  for (int i = 0; i < kCount; ++i) {
    workers[i].start(take_attributes, nullptr, i);
    workers[i].await_ready();
  }
  sys(SYS_prctl, 15 /* PR_SET_NAME */, "the first");
  check::in_each_generation([] {
    check_attributes({"the first", 0, SCHED_OTHER});
    for (Worker& worker : workers) {
      worker.go();
      worker.join();
    }
  });
}

CASE(real_time, "a thread under SCHED_FIFO stays there") {
  struct sched_param priority = {};
  priority.sched_priority = 7;
  if (sys(SYS_sched_setscheduler, 0, SCHED_FIFO, &priority) == -EPERM)
    check::skip("needs root: CAP_SYS_NICE");
  priority.sched_priority = 0;
  EQUAL(sys(SYS_sched_setscheduler, 0, SCHED_OTHER, &priority), 0);
  static Worker worker;
  worker.start(
      [](Worker& self) {
        struct sched_param own = {};
        own.sched_priority = 7;
        EQUAL(sys(SYS_sched_setscheduler, 0, SCHED_FIFO, &own), 0);
        self.ready();
        self.await();
        EQUAL(sys(SYS_sched_getscheduler, 0), SCHED_FIFO);
        EQUAL(sys(SYS_sched_getparam, 0, &own), 0);
        EQUAL(own.sched_priority, 7);
      },
      nullptr);
  worker.await_ready();
  check::in_each_generation([] {
    EQUAL(sys(SYS_sched_getscheduler, 0), SCHED_OTHER);
    worker.go();
    worker.join();
  });
}

namespace {

Worker pinned[2];

long current_cpu() {
  unsigned cpu = 0;
  EQUAL(sys(SYS_getcpu, &cpu, nullptr, nullptr), 0);
  return cpu;
}

// sched_getcpu() reads what the kernel writes into the thread's rseq area.
void stay_on_cpu(Worker& self) {
  uint64_t set[16] = {};
  set[0] = 1ull << self.number;
  if (sys(SYS_sched_setaffinity, 0, sizeof set, set) == -EINVAL)
    set[0] = ~0ull;  // there is no such CPU
  self.ready();
  self.await();
  uint64_t kept[16] = {};
  CHECK(sys(SYS_sched_getaffinity, 0, sizeof kept, kept) > 0);
  if (set[0] == ~0ull) return;
  EQUAL(kept[0], set[0]);
  EQUAL(current_cpu(), self.number);
  EQUAL(sched_getcpu(), self.number);
}

}  // namespace

CASE(affinity, "CPU affinity stays, and sched_getcpu() tells the right CPU") {
  for (int i = 0; i < 2; ++i) {
    pinned[i].start(stay_on_cpu, nullptr, i);
    pinned[i].await_ready();
  }
  check::in_each_generation([] {
    for (Worker& each : pinned) {
      each.go();
      each.join();
    }
    // Wherever the scheduler puts it: rseq follows.
    for (uint64_t cpu = 0; cpu < 64; ++cpu) {
      uint64_t set[16] = {1ull << cpu};
      if (sys(SYS_sched_setaffinity, 0, sizeof set, set) != 0) continue;
      EQUAL(sched_getcpu(), cpu);
    }
  });
}
