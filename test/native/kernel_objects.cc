// Kernel objects that only one process may use: each has its own.
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "check.h"

using check::sys;
using check::Worker;

namespace {

bool readable(int fd) {
  struct pollfd ready = {fd, POLLIN, 0};
  return poll(&ready, 1, 0) == 1 && (ready.revents & POLLIN);
}

uint64_t take(int fd) {
  uint64_t value = 0;
  EQUAL(read(fd, &value, sizeof value), sizeof value);
  return value;
}

void give(int fd, uint64_t value) {
  EQUAL(write(fd, &value, sizeof value), sizeof value);
}

// Whichever process shares an object with another sees what that one gave.
uint64_t own_number() { return (uint64_t)getpid(); }

}  // namespace

CASE(eventfds, "an eventfd has the same count and flags in each process") {
  static int counting, semaphore, empty, twin;
  counting = eventfd(5, EFD_NONBLOCK);
  semaphore = eventfd(3, EFD_SEMAPHORE | EFD_CLOEXEC);
  empty = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  twin = fcntl(empty, F_DUPFD_CLOEXEC, 100);
  check::in_each_generation([] {
    give(empty, own_number());
    EQUAL(take(twin), own_number());
    EQUAL(take(counting), 5);
    CHECK(!readable(counting));
    for (int i = 0; i < 3; ++i) EQUAL(take(semaphore), 1);
    CHECK(!readable(semaphore));
    EQUAL(fcntl(counting, F_GETFD), 0);
    EQUAL(fcntl(semaphore, F_GETFD), FD_CLOEXEC);
    EQUAL(fcntl(twin, F_GETFD), FD_CLOEXEC);
    EQUAL(fcntl(counting, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    EQUAL(fcntl(semaphore, F_GETFL) & O_NONBLOCK, 0);
    EQUAL(fcntl(twin, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
  });
}

CASE(eventfd_readers, "a thread that reads an eventfd reads its process's") {
  static Worker reader;
  static int event = eventfd(0, EFD_CLOEXEC);
  reader.start([](Worker&) { EQUAL(take(event), own_number()); }, nullptr);
  reader.await_blocked(SYS_read);
  check::in_each_generation([] {
    give(event, own_number());
    reader.join();
  });
}

namespace {

int make_timer(uint64_t value, uint64_t interval) {
  const int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  struct itimerspec times = {};
  times.it_value.tv_sec = (time_t)(value / check::kSecond);
  times.it_value.tv_nsec = (long)(value % check::kSecond);
  times.it_interval.tv_sec = (time_t)(interval / check::kSecond);
  times.it_interval.tv_nsec = (long)(interval % check::kSecond);
  EQUAL(timerfd_settime(timer, 0, &times, nullptr), 0);
  return timer;
}

void await_readable(int fd) {
  struct pollfd ready = {fd, POLLIN, 0};
  EQUAL(poll(&ready, 1, (int)(check::kDeadline / 1000000)), 1);
}

}  // namespace

CASE(timerfds, "a timerfd goes on in each process, ticks not read included") {
  static int often, once, expired, behind, unset, far;
  behind = make_timer(1, 1000000);
  await_readable(behind);
  often = make_timer(1000000, 1000000);
  once = make_timer(check::kSecond / 20, 0);
  expired = make_timer(1, 0);
  unset = make_timer(0, 0);
  far = make_timer(100 * check::kSecond, 7 * check::kSecond);
  await_readable(expired);
  check::in_each_generation([] {
    for (int i = 0; i < 3; ++i) {
      await_readable(often);
      CHECK(take(often) >= 1);
    }
    CHECK(readable(behind));
    for (int i = 0; i < 3; ++i) {
      await_readable(behind);
      CHECK(take(behind) >= 1);
    }
    CHECK(readable(expired));
    EQUAL(take(expired), 1);
    CHECK(!readable(expired));
    await_readable(once);
    EQUAL(take(once), 1);
    CHECK(!readable(unset));
    struct itimerspec times;
    EQUAL(timerfd_gettime(far, &times), 0);
    CHECK(times.it_value.tv_sec >= 100 - 60 && times.it_value.tv_sec < 100);
    EQUAL(times.it_interval.tv_sec, 7);
    EQUAL(timerfd_gettime(unset, &times), 0);
    EQUAL(times.it_value.tv_sec, 0);
  });
}

namespace {

int make_epoll() { return epoll_create1(EPOLL_CLOEXEC); }

void watch(int epoll, int fd, uint32_t events, uint64_t data) {
  struct epoll_event event = {};
  event.events = events;
  event.data.u64 = data;
  EQUAL(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
}

// The data of the one descriptor that is ready, or 0.
uint64_t next_event(int epoll) {
  struct epoll_event events[8];
  const int count = epoll_wait(epoll, events, 8, 0);
  CHECK(count == 0 || count == 1);
  return count ? events[0].data.u64 : 0;
}

}  // namespace

CASE(epolls, "an epoll has its own table, of each process's own objects") {
  static int outer, inner, twin, first, second, edge, shot;
  outer = make_epoll();
  inner = make_epoll();
  twin = fcntl(outer, F_DUPFD_CLOEXEC, 50);
  first = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  second = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  edge = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  shot = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  watch(outer, inner, EPOLLIN, 1);
  watch(outer, first, EPOLLIN, 0xfedcba9876543210);
  watch(inner, second, EPOLLIN, 3);
  watch(outer, edge, EPOLLIN | EPOLLET, 4);
  watch(outer, shot, EPOLLIN | EPOLLONESHOT, 5);
  check::in_each_generation([] {
    EQUAL(next_event(outer), 0);
    give(first, own_number());
    EQUAL(next_event(twin), 0xfedcba9876543210);
    EQUAL(take(first), own_number());
    give(second, own_number());
    EQUAL(next_event(outer), 1);
    EQUAL(next_event(inner), 3);
    EQUAL(take(second), own_number());
    give(edge, 1);
    EQUAL(next_event(outer), 4);
    EQUAL(next_event(outer), 0);
    give(shot, 1);
    EQUAL(next_event(outer), 5);
    give(shot, 1);
    EQUAL(next_event(outer), 0);
    EQUAL(epoll_ctl(twin, EPOLL_CTL_DEL, first, nullptr), 0);
    EQUAL(epoll_ctl(outer, EPOLL_CTL_DEL, first, nullptr), -1);
    EQUAL(errno, ENOENT);
  });
}

CASE(epoll_waiters, "a thread in epoll_wait() wakes for its own process") {
  static Worker waiter;
  static int epoll = make_epoll(), event = eventfd(0, EFD_CLOEXEC);
  watch(epoll, event, EPOLLIN, 9);
  waiter.start(
      [](Worker&) {
        struct epoll_event seen;
        long count;
        do count = sys(SYS_epoll_pwait, epoll, &seen, 1, -1, nullptr, 8);
        while (count == -EINTR);
        EQUAL(count, 1);
        EQUAL(seen.data.u64, 9);
        EQUAL(take(event), own_number());
      },
      nullptr);
  waiter.await_blocked(SYS_epoll_pwait);
  check::in_each_generation([] {
    give(event, own_number());
    waiter.join();
  });
}

namespace {

constexpr size_t kLarge = 1 << 20;
char content[kLarge], seen[kLarge];

void fill(int* ends, int flags, size_t room, size_t size) {
  EQUAL(pipe2(ends, flags), 0);
  if (room) CHECK(fcntl(ends[1], F_SETPIPE_SZ, (int)room) >= (long)room);
  EQUAL(write(ends[1], content, size), size);
}

void check_content(const int* ends, size_t size) {
  int waiting = 0;
  EQUAL(ioctl(ends[0], FIONREAD, &waiting), 0);
  EQUAL(waiting, size);
  memset(seen, 0, size);
  EQUAL(forkall::read_all(ends[0], seen, size), size);
  CHECK(memcmp(seen, content, size) == 0);
  const uint64_t number = own_number();
  EQUAL(write(ends[1], &number, sizeof number), sizeof number);
  EQUAL(take(ends[0]), number);
}

}  // namespace

CASE(pipes, "a pipe with both ends here has its content in each process") {
  static int small[2], full[2], large[2], packets[2], twin;
  for (size_t i = 0; i < kLarge; ++i) content[i] = (char)(i * 7 + i / 251);
  fill(small, O_CLOEXEC | O_NONBLOCK, 0, 10);
  fill(full, O_CLOEXEC, 0, 65536);
  fill(large, O_CLOEXEC, kLarge, kLarge);
  EQUAL(pipe2(packets, O_CLOEXEC | O_DIRECT), 0);
  EQUAL(write(packets[1], "one", 3), 3);
  EQUAL(write(packets[1], "three", 5), 5);
  twin = fcntl(small[1], F_DUPFD_CLOEXEC, 60);
  check::in_each_generation([] {
    EQUAL(fcntl(small[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    EQUAL(fcntl(full[0], F_GETFL) & O_NONBLOCK, 0);
    EQUAL(fcntl(large[1], F_GETPIPE_SZ), kLarge);
    EQUAL(fcntl(twin, F_GETFD), FD_CLOEXEC);
    check_content(small, 10);
    check_content(full, 65536);
    check_content(large, kLarge);
    give(twin, own_number());
    EQUAL(take(small[0]), own_number());
    EQUAL(read(packets[0], seen, 10), 3);
    EQUAL(read(packets[0], seen, 10), 5);
    // The end of file is the own writers' end.
    EQUAL(close(small[1]), 0);
    EQUAL(read(small[0], seen, 1), -1);
    EQUAL(errno, EAGAIN);
    EQUAL(close(twin), 0);
    EQUAL(read(small[0], seen, 1), 0);
  });
}

CASE(shared_pipes, "a pipe that is passed on to programs stays shared") {
  static int inherited[2], half[2];
  EQUAL(pipe(inherited), 0);
  EQUAL(pipe2(half, O_CLOEXEC), 0);
  const int peer = fcntl(half[0], F_DUPFD, 0);
  EQUAL(close(half[0]), 0);
  half[0] = peer;
  struct stat before, after;
  EQUAL(fstat(inherited[0], &before), 0);
  const long child = check::fork_now();
  EQUAL(fstat(inherited[0], &after), 0);
  EQUAL(before.st_ino, after.st_ino);
  if (child == 0) {
    EQUAL(write(inherited[1], "x", 1), 1);
    check::leave_well();
  }
  EQUAL(read(inherited[0], seen, 1), 1);
  check::await_child(child);
}

CASE(descriptors, "no descriptor is left open, or closed, by forks") {
  static const auto count = [] {
    const long folder = sys(SYS_openat, AT_FDCWD, "/proc/self/fd",
                            O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int open = 0;
    forkall::each_number((int)folder, [&](int) { ++open; });
    sys(SYS_close, folder);
    return open;
  };
  int ends[2];
  EQUAL(pipe2(ends, O_CLOEXEC), 0);
  eventfd(0, EFD_CLOEXEC);
  make_epoll();
  static const int before = count();
  for (int i = 0; i < 10; ++i)
    check::in_each_generation([] { EQUAL(count(), before); });
  EQUAL(count(), before);
}

CASE(no_descriptor, "EMFILE in the child fails the fork and harms nobody") {
  eventfd(0, EFD_CLOEXEC);
  int last = 0;
  for (int fd; (fd = dup(STDERR_FILENO)) >= 0;) last = fd;
  EQUAL(errno, EMFILE);
  forkall::Result result = forkall::fork(check::kDeadline);
  EQUAL(result.error, -EMFILE);
  // Enough for the parent's own, not for a copy in the child: then likewise.
  int failures = 0;
  for (int free = 1; result.error != 0; ++free) {
    EQUAL(close(last--), 0);
    result = forkall::fork(check::kDeadline);
    if (result.error == 0 && result.pid == 0) check::leave_well();
    if (result.error) {
      EQUAL(result.error, -EMFILE);
      ++failures;
    }
    CHECK(free < 20);
  }
  CHECK(failures > 0);
  check::await_child(result.pid);
}
