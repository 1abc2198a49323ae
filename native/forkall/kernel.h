// The kernel without the C library: raw system calls, futexes, time.
//
// Between the first stopped thread and the last released one a thread may hold
// any lock of the process, the allocator's and stdio's among them. Everything
// in forkall/ therefore talks to the kernel directly: no errno, no malloc, no
// locale, no cancellation point. This header needs neither libstdc++ nor one
// particular C library.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "forkall/arch/arch.h"

namespace forkall {

/** A system call: its value, or a negated errno. */
template <typename... A>
inline long sys(long number, A... arguments) {
  long a[6] = {(long)arguments...};
  return arch::syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

inline bool failed(long result) { return result < 0 && result > -4096; }

/** Nanoseconds of CLOCK_MONOTONIC. */
uint64_t now();

/** Sleeps while *word == value, at most until `deadline` (0: for ever). */
void futex_wait(const uint32_t* word, uint32_t value, uint64_t deadline);
void futex_wake(uint32_t* word);

/** "/proc/self/fd/" 12 "" into `path`, of kProcPath bytes. */
constexpr size_t kProcPath = 64;
void proc_path(char* path, const char* folder, int number, const char* file);

/** Reads a whole small file of /proc; length, or a negated errno. */
long read_file(const char* path, char* buffer, size_t size);

/** write(2) until all is out, waiting if need be; 0 or a negated errno. */
long write_all(int fd, const void* data, size_t size);

/** read(2) until `size` bytes or end of file; count or a negated errno. */
long read_all(int fd, void* data, size_t size);

/** Calls visit(number) for each numeric name in an open directory of /proc. */
template <typename Visit>
long each_number(int directory, Visit visit) {
  alignas(8) char buffer[4096];
  long rewound = sys(SYS_lseek, directory, 0, 0);
  if (failed(rewound)) return rewound;
  for (;;) {
    long length = sys(SYS_getdents64, directory, buffer, sizeof buffer);
    if (length <= 0) return length;
    for (long at = 0; at < length;) {
      // struct linux_dirent64: d_ino, d_off, d_reclen (16 bit), d_type, d_name
      uint16_t record = *(uint16_t*)(buffer + at + 16);
      const char* name = buffer + at + 19;
      int number = 0;
      const char* digit = name;
      for (; *digit >= '0' && *digit <= '9'; ++digit)
        number = number * 10 + (*digit - '0');
      if (digit != name && *digit == 0) visit(number);
      at += record;
    }
  }
}

}  // namespace forkall
