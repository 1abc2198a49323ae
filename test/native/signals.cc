// Threads that signals hardly reach, and signals at the wrong moment.
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "forkall/libc/libc.h"

using check::sys;
using check::Worker;

namespace {

uint64_t current_mask() {
  uint64_t mask = 0;
  EQUAL(sys(SYS_rt_sigprocmask, SIG_BLOCK, nullptr, &mask, 8), 0);
  return mask;
}

Worker masked[3];

// What sigfillset() leaves open for the C library stays open.
void block_signals(Worker& self) {
  sigset_t all;
  sigfillset(&all);
  if (self.number == 1) sigdelset(&all, SIGUSR1);
  if (self.number < 2) EQUAL(pthread_sigmask(SIG_BLOCK, &all, nullptr), 0);
  const uint64_t mask = current_mask();
  self.ready();
  self.await();
  EQUAL(current_mask(), mask);
}

}  // namespace

CASE(masks, "a thread that blocks all signals is stopped; masks stay") {
  sigset_t own;
  sigemptyset(&own);
  sigaddset(&own, SIGUSR2);
  EQUAL(pthread_sigmask(SIG_BLOCK, &own, nullptr), 0);
  static const uint64_t mask = current_mask();
  for (int i = 0; i < 3; ++i) {
    masked[i].start(block_signals, nullptr, i);
    masked[i].await_ready();
  }
  check::in_each_generation([] {
    EQUAL(current_mask(), mask);
    for (Worker& each : masked) {
      each.go();
      each.join();
    }
  });
}

namespace {

Worker unreachable, bystander;

// Whom the signal that stops threads calls outside of a stop.
uint64_t stop_action() {
  uint64_t action[4] = {};  // the kernel's struct sigaction: handler first
  EQUAL(sys(SYS_rt_sigaction, libc::kStopSignal, nullptr, action, 8), 0);
  return action[0];
}

void block_even_the_last(Worker& self) {
  uint64_t all = ~0ull, old = 0;
  EQUAL(pthread_setname_np(pthread_self(), "unreachable"), 0);
  EQUAL(sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, 8), 0);
  self.ready();
  self.await();
  // The signal that comes now is late: it stops nobody and ends nothing.
  EQUAL(sys(SYS_rt_sigprocmask, SIG_SETMASK, &old, nullptr, 8), 0);
  self.done();
  self.await(2);
}

}  // namespace

CASE(time_limit,
     "ETIMEDOUT names the thread that cannot be stopped, and all goes on") {
  unreachable.start(block_even_the_last, nullptr);
  unreachable.await_ready();
  const uint64_t before = stop_action();
  bystander.start(
      [](Worker& self) {
        self.await();
        self.done();
        self.await(2);
      },
      nullptr);
  constexpr uint64_t kShort = check::kSecond / 2;
  for (int i = 0; i < 2; ++i) {
    const uint64_t begin = forkall::now();
    const forkall::Result result = forkall::fork(kShort);
    EQUAL(result.error, -ETIMEDOUT);
    CHECK(forkall::now() - begin >= kShort);
    CHECK(strcmp(result.thread, "unreachable") == 0);
  }
  bystander.go();
  bystander.await_done();
  unreachable.go();
  unreachable.await_done();
  check::in_each_generation([] {
    unreachable.go();
    unreachable.join();
    bystander.go();
    bystander.join();
    struct timespec soon = {0, 1};
    EQUAL(sys(SYS_nanosleep, &soon, nullptr), 0);
  });
  EQUAL(stop_action(), before);
}

namespace {

constexpr size_t kStack = 64 << 10;
Worker on_alternate;
char* alternate;
uint32_t in_handler = 0;
check::Counter leave_handler;

bool on_alternate_stack() {
  char here;
  return &here >= alternate && &here < alternate + kStack;
}

void stay_in_handler(int) {
  CHECK(on_alternate_stack());
  on_alternate.ready();
  leave_handler.wait(++in_handler);
  CHECK(on_alternate_stack());
}

void check_alternate_stack() {
  stack_t stack;
  EQUAL(sigaltstack(nullptr, &stack), 0);
  CHECK(stack.ss_sp == alternate);
  EQUAL(stack.ss_size, kStack);
  EQUAL(stack.ss_flags, 0);
}

void use_alternate_stack(Worker& self) {
  stack_t stack = {};
  stack.ss_sp = alternate;
  stack.ss_size = kStack;
  EQUAL(sigaltstack(&stack, nullptr), 0);
  // Stopped once in the handler, on that stack, and once outside.
  EQUAL(pthread_kill(pthread_self(), SIGUSR1), 0);
  check_alternate_stack();
  self.ready();
  self.await();
  check_alternate_stack();
  leave_handler.add();
  EQUAL(pthread_kill(pthread_self(), SIGUSR1), 0);
  EQUAL(in_handler, 2);
}

}  // namespace

CASE(alternate_stacks,
     "a thread stopped on its alternate stack goes on there, and keeps it") {
  alternate = (char*)mmap(nullptr, kStack, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sigaction action = {};
  action.sa_handler = stay_in_handler;
  action.sa_flags = SA_ONSTACK;
  EQUAL(sigaction(SIGUSR1, &action, nullptr), 0);
  on_alternate.start(use_alternate_stack, nullptr);
  on_alternate.await_ready();
  check::in_each_generation([] {
    leave_handler.add();
    on_alternate.await_ready(2);
    check::in_each_generation([] {
      on_alternate.go();
      on_alternate.join();
    });
  });
}

namespace {

check::Counter ticks;

}  // namespace

CASE(timer_thread,
     "the thread behind a SIGEV_THREAD timer lives on where the timer does") {
  struct sigevent event = {};
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_notify_function = [](union sigval) { ticks.add(); };
  timer_t timer;
  EQUAL(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
  struct itimerspec often = {};
  often.it_interval.tv_nsec = often.it_value.tv_nsec = 1000000;
  EQUAL(timer_settime(timer, 0, &often, nullptr), 0);
  ticks.wait(1);
  for (int i = 0; i < 20; ++i) {
    const long child = check::fork_now();
    if (child == 0) check::leave_well();
    check::await_child(child);
    ticks.wait(ticks.get() + 2);
  }
  EQUAL(timer_delete(timer), 0);
}

namespace {

int directed = 0;
Worker target;

}  // namespace

CASE(directed_signals,
     "pthread_kill() reaches the thread it names in both processes") {
  struct sigaction action = {};
  action.sa_handler = [](int) { directed = (int)sys(SYS_gettid); };
  EQUAL(sigaction(SIGUSR1, &action, nullptr), 0);
  target.start(
      [](Worker& self) {
        self.ready();
        self.await();
        EQUAL(directed, sys(SYS_gettid));
      },
      nullptr);
  target.await_ready();
  check::in_each_generation([] {
    EQUAL(pthread_kill(target.thread, SIGUSR1), 0);
    const uint64_t deadline = forkall::now() + check::kDeadline;
    while (!__atomic_load_n(&directed, __ATOMIC_ACQUIRE)) {
      CHECK(forkall::now() < deadline);
      sys(SYS_sched_yield);
    }
    target.go();
    target.join();
  });
}

namespace {

pthread_mutex_t contended = PTHREAD_MUTEX_INITIALIZER;
Worker slow, deaf;

}  // namespace

CASE(deaf_waiter,
     "a thread deaf to signals that waits for a stopped one's lock gets it") {
  // As a thread of glibc does when it ends, or when its stack is given back.
  slow.start(
      [](Worker& self) {
        EQUAL(pthread_mutex_lock(&contended), 0);
        self.ready();
        // Longer than a stop takes, in time during which it runs.
        struct timespec used;
        do clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
        while (used.tv_sec == 0 && used.tv_nsec < 3000000);
        self.await();
        EQUAL(pthread_mutex_unlock(&contended), 0);
      },
      nullptr);
  slow.await_ready();
  deaf.start(
      [](Worker& self) {
        uint64_t all = ~0ull, old;
        EQUAL(sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, 8), 0);
        self.ready();
        EQUAL(pthread_mutex_lock(&contended), 0);
        EQUAL(sys(SYS_rt_sigprocmask, SIG_SETMASK, &old, nullptr, 8), 0);
        EQUAL(pthread_mutex_unlock(&contended), 0);
        self.await();
      },
      nullptr);
  deaf.await_ready();
  deaf.await_blocked(SYS_futex);
  slow.go();
  const uint64_t begin = forkall::now();
  const long child = check::fork_now();
  CHECK(forkall::now() - begin < check::kDeadline / 2);
  slow.join();
  deaf.go();
  deaf.join();
  if (child == 0) check::leave_well();
  check::await_child(child);
}
