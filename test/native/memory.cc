// Memory that fork(2) does not copy, memory that must not be read, and the
// locks of the allocator and of stdio.
#include <alloca.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

using check::sys;
using check::Worker;

namespace {

constexpr size_t kPage = 4096;
constexpr int kWipeOnFork = 18;     // MADV_WIPEONFORK
constexpr int kGuardInstall = 102;  // MADV_GUARD_INSTALL, since Linux 6.13

char* map(size_t size, int flags = MAP_PRIVATE | MAP_ANONYMOUS) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, -1, 0);
  CHECK(memory != MAP_FAILED);
  return (char*)memory;
}

// Has any mapping in [low, high] a flag (two letters) in VmFlags?
bool has_flag(const void* low, const void* high, const char* flag) {
  constexpr size_t kRoom = 1 << 20;
  static char text[kRoom];
  check::read_text("/proc/self/smaps", text, kRoom);
  bool inside = false, any = false;
  for (char* line = strtok(text, "\n"); line; line = strtok(nullptr, "\n")) {
    unsigned long start, end;
    if (sscanf(line, "%lx-%lx ", &start, &end) == 2) {
      inside = (unsigned long)high >= start && (unsigned long)low < end;
      any |= inside;
    }
    if (inside && strncmp(line, "VmFlags:", 8) == 0 && strstr(line + 8, flag))
      return true;
  }
  CHECK(any);
  return false;
}

bool has_flag(const void* address, const char* flag) {
  return has_flag(address, address, flag);
}

}  // namespace

CASE(dontfork, "MADV_DONTFORK memory is copied, and keeps its mark") {
  static char *kept, *neighbour, *shared, *text;
  kept = map(64 * kPage);
  neighbour = map(kPage);
  shared = map(4 * kPage, MAP_SHARED | MAP_ANONYMOUS);
  memset(kept, 'k', 64 * kPage);
  memset(neighbour, 'n', kPage);
  EQUAL(madvise(kept, 64 * kPage, MADV_DONTFORK), 0);
  // Cut into pieces that the kernel keeps apart.
  EQUAL(mprotect(kept + 8 * kPage, kPage, PROT_READ), 0);
  EQUAL(munmap(kept + 20 * kPage, kPage), 0);
  EQUAL(madvise(shared, 4 * kPage, MADV_DONTFORK), 0);
  text = (char*)(((uintptr_t)&map) & ~(kPage - 1));
  check::in_each_generation([] {
    for (size_t page = 0; page < 64; ++page) {
      if (page == 20) continue;
      EQUAL(kept[page * kPage], 'k');
      CHECK(has_flag(kept + page * kPage, " dc"));
    }
    EQUAL(neighbour[0], 'n');
    CHECK(has_flag(shared, " dc"));
    CHECK(!has_flag(neighbour, " dc"));
    CHECK(!has_flag(text, " dc"));
    kept[0] = 'x';
  });
}

CASE(dontfork_failed, "a fork that fails gives the marks back as well") {
  char* kept = map(4 * kPage);
  memset(kept, 'k', 4 * kPage);
  EQUAL(madvise(kept, 4 * kPage, MADV_DONTFORK), 0);
  static Worker unreachable;
  unreachable.start(
      [](Worker& self) {
        uint64_t all = ~0ull, old;
        sys(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, 8);
        self.ready();
        self.await();
        sys(SYS_rt_sigprocmask, SIG_SETMASK, &old, nullptr, 8);
      },
      nullptr);
  unreachable.await_ready();
  EQUAL(forkall::fork(check::kSecond / 50).error, -ETIMEDOUT);
  CHECK(has_flag(kept, " dc"));
  unreachable.go();
  unreachable.join();
}

CASE(wipeonfork, "MADV_WIPEONFORK memory is empty in the child, and marked") {
  static char* wiped = map(4 * kPage);
  memset(wiped, 'w', 4 * kPage);
  if (madvise(wiped, 4 * kPage, kWipeOnFork) != 0)
    check::skip("needs Linux 4.14");
  const long child = check::fork_now();
  CHECK(has_flag(wiped, " wf"));
  EQUAL(wiped[0], child ? 'w' : 0);
  EQUAL(wiped[3 * kPage], child ? 'w' : 0);
  if (child == 0) check::leave_well();
  check::await_child(child);
}

CASE(guard_pages, "memory that may not be touched is not touched") {
  char* none = map(4 * kPage);
  memset(none, 'n', 4 * kPage);
  EQUAL(mprotect(none, 4 * kPage, PROT_NONE), 0);
  char* guarded = map(8 * kPage);
  memset(guarded, 'g', 8 * kPage);
  const bool guards = madvise(guarded + 2 * kPage, kPage, kGuardInstall) == 0;
  // A private mapping of a file that is shorter: SIGBUS behind its end.
  FILE* file = tmpfile();
  EQUAL(fwrite("x", 1, 1, file), 1);
  EQUAL(fflush(file), 0);
  void* beyond = mmap(nullptr, 4 * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE,
                      fileno(file), 0);
  CHECK(beyond != MAP_FAILED);
  check::in_each_generation([] {});
  if (!guards) check::skip("the part about guard pages needs Linux 6.13");
  check::give_up_root();  // and the right to read its pagemap
  check::in_each_generation([] {});
}

namespace {

// The lowest address of the main thread's stack: below, it grows.
uintptr_t stack_end() {
  constexpr size_t kRoom = 1 << 18;
  static char text[kRoom];
  check::read_text("/proc/self/maps", text, kRoom);
  char* line = strstr(text, "[stack]");
  CHECK(line != nullptr);
  while (line > text && line[-1] != '\n') --line;
  return strtoul(line, nullptr, 16);
}

[[gnu::noinline]] void fork_near_stack_end(size_t left) {
  const uintptr_t end = stack_end();
  const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  CHECK(here > end);
  if (here - end > left) {
    volatile char* room = (volatile char*)alloca(here - end - left);
    room[0] = 1;
  }
  const long child = check::fork_now();
  constexpr uintptr_t kReach = 1 << 20;
  CHECK(!has_flag((void*)(here - kReach), (void*)here, " dc"));
  if (child == 0) check::leave_well();
  check::await_child(child);
}

}  // namespace

CASE(growing_stack, "a stack that grows during the fork gets no mark") {
  for (size_t left = 4096; left <= 65536; left += 4096)
    fork_near_stack_end(left);
}

namespace {

constexpr int kHammers = 4;
uint32_t hammering = 1;
uint32_t blows[kHammers];

void allocate(Worker& self) {
  void* kept[64] = {};
  uint32_t random = (uint32_t)self.number + 1;
  while (__atomic_load_n(&hammering, __ATOMIC_ACQUIRE)) {
    random = random * 1664525 + 1013904223;
    void*& place = kept[random >> 26];
    const size_t size = (random >> 8) % 300000 / ((random >> 4) % 50 + 1) + 1;
    free(place);
    place = malloc(size);
    memset(place, self.number, size < 4096 ? size : 4096);
    __atomic_add_fetch(&blows[self.number], 1, __ATOMIC_ACQ_REL);
  }
  for (void* each : kept) free(each);
}

void await_more(uint32_t more) {
  const uint64_t deadline = forkall::now() + check::kDeadline;
  for (uint32_t& count : blows) {
    const uint32_t before = __atomic_load_n(&count, __ATOMIC_ACQUIRE);
    while (__atomic_load_n(&count, __ATOMIC_ACQUIRE) - before < more) {
      CHECK(forkall::now() < deadline);
      sys(SYS_sched_yield);
    }
  }
}

}  // namespace

CASE(allocator, "threads that allocate all the time go on in both processes") {
  static Worker workers[kHammers];
  for (int i = 0; i < kHammers; ++i) workers[i].start(allocate, nullptr, i);
  for (int round = 0; round < 25; ++round) {
    const long child = check::fork_now();
    if (child == 0) {
      free(malloc(1000));
      await_more(200);
      __atomic_store_n(&hammering, 0, __ATOMIC_RELEASE);
      for (Worker& worker : workers) worker.join();
      check::leave_well();
    }
    check::await_child(child);
  }
  await_more(200);
  __atomic_store_n(&hammering, 0, __ATOMIC_RELEASE);
  for (Worker& worker : workers) worker.join();
}

namespace {

Worker writer, waiting_writer;
FILE* stream;
char buffer[256];

}  // namespace

CASE(stdio, "a stream that a stopped thread has locked stays locked by it") {
  stream = fmemopen(buffer, sizeof buffer, "w");
  CHECK(stream != nullptr);
  writer.start(
      [](Worker& self) {
        flockfile(stream);
        EQUAL(fputs("one ", stream) < 0, 0);
        self.ready();
        self.await();
        EQUAL(fputs("two ", stream) < 0, 0);
        flockfile(stream);
        EQUAL(ftrylockfile(stream), 0);
        EQUAL(fputs("three ", stream) < 0, 0);
        for (int i = 0; i < 3; ++i) funlockfile(stream);
      },
      nullptr);
  writer.await_ready();
  waiting_writer.start([](Worker&) { EQUAL(fputs("four", stream) < 0, 0); },
                       nullptr);
  waiting_writer.await_blocked(SYS_futex);
  check::in_each_generation([] {
    CHECK(ftrylockfile(stream) != 0);
    writer.go();
    writer.join();
    waiting_writer.join();
    EQUAL(fflush(stream), 0);
    CHECK(strcmp(buffer, "one two three four") == 0);
    EQUAL(fclose(stream), 0);
  });
}
