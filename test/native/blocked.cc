// What a blocking call says when its thread was stopped: as after any signal
// whose handler was installed with SA_RESTART, in the parent and in the child.
// signal(7) has the list: some calls start again, some return EINTR.
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

using check::sys;
using check::Worker;

namespace {

int channel[2], pair[2];
constexpr long kRestarts = 0;

struct Call {
  const char* name;
  long number;     // of the system call
  long expected;   // kRestarts, or -EINTR
  long (*call)();  // returns 0 once what it waited for has come
};

uint32_t word = 0;
struct timespec kLong = {check::kDeadline / check::kSecond, 0};

char byte = 0;
constexpr long one(long count) { return count == 1 ? 0 : count; }

const Call kCalls[] = {
    {"read", SYS_read, kRestarts,
     [] { return one(sys(SYS_read, channel[0], &byte, 1)); }},
    {"recv", SYS_recvfrom, kRestarts,
     [] {
       return one(sys(SYS_recvfrom, pair[0], &byte, 1, 0, nullptr, nullptr));
     }},
    {"futex", SYS_futex, kRestarts,
     [] {
       const long result =
           sys(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, nullptr);
       return result == -EAGAIN ? 0 : result;  // it has changed meanwhile
     }},
    {"futex with a limit", SYS_futex, -EINTR,
     [] { return sys(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &kLong); }},
    {"ppoll", SYS_ppoll, -EINTR,
     [] {
       struct pollfd none = {channel[1], 0, 0};
       return sys(SYS_ppoll, &none, 1, nullptr, nullptr, 8);
     }},
    {"epoll_pwait", SYS_epoll_pwait, -EINTR,
     [] {
       const long epoll = sys(SYS_epoll_create1, EPOLL_CLOEXEC);
       struct epoll_event event;
       return sys(SYS_epoll_pwait, epoll, &event, 1, -1, nullptr, 8);
     }},
    {"nanosleep", SYS_nanosleep, -EINTR,
     [] {
       struct timespec rest = {0, 0};
       const long result = sys(SYS_nanosleep, &kLong, &rest);
       CHECK(rest.tv_sec > 0 && rest.tv_sec <= kLong.tv_sec);
       return result;
     }},
    {"clock_nanosleep", SYS_clock_nanosleep, -EINTR,
     [] {
       return sys(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &kLong, nullptr);
     }},
    {"rt_sigtimedwait", SYS_rt_sigtimedwait, -EINTR,
     [] {
       uint64_t set = 1ull << (SIGUSR1 - 1);
       return sys(SYS_rt_sigtimedwait, &set, nullptr, nullptr, 8);
     }},
};
constexpr int kCount = sizeof kCalls / sizeof kCalls[0];

void block(Worker& self) {
  const Call& each = kCalls[self.number];
  self.ready();
  EQUAL(each.call(), each.expected);
}

}  // namespace

CASE(blocked_calls,
     "a blocking call goes on, or gives EINTR, as after any signal") {
  static Worker workers[kCount];
  static char bytes[] = "x";
  EQUAL(pipe2(channel, 0), 0);
  EQUAL(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
  for (int i = 0; i < kCount; ++i) {
    workers[i].start(block, nullptr, i);
    workers[i].await_blocked(kCalls[i].number);
  }
  const long child = check::fork_now();
  const auto look = [] {
    for (int i = 0; i < kCount; ++i)
      if (kCalls[i].expected != kRestarts) workers[i].join();
    // The pipe and the sockets are shared: one byte for each of the processes.
    EQUAL(sys(SYS_write, channel[1], bytes, 1), 1);
    EQUAL(sys(SYS_write, pair[1], bytes, 1), 1);
    __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
    forkall::futex_wake(&word);
    for (int i = 0; i < kCount; ++i)
      if (kCalls[i].expected == kRestarts) workers[i].join();
  };
  look();
  if (child == 0) check::leave_well();
  check::await_child(child);
}
