#include "forkall/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <time.h>

namespace forkall {

namespace {
constexpr uint64_t kSecond = 1000000000;
}

uint64_t now() {
  struct timespec t = {0, 0};
  sys(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * kSecond + (uint64_t)t.tv_nsec;
}

void futex_wait(const uint32_t* word, uint32_t value, uint64_t deadline) {
  struct timespec until = {(time_t)(deadline / kSecond),
                           (long)(deadline % kSecond)};
  // WAIT_BITSET takes an absolute time of CLOCK_MONOTONIC.
  sys(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value,
      deadline ? &until : nullptr, 0, FUTEX_BITSET_MATCH_ANY);
}

void futex_wake(uint32_t* word) {
  sys(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, INT32_MAX);
}

void proc_path(char* path, const char* folder, int number, const char* file) {
  char digits[12];
  int length = 0;
  do {
    digits[length++] = (char)('0' + number % 10);
    number /= 10;
  } while (number);
  while (*folder) *path++ = *folder++;
  while (length) *path++ = digits[--length];
  while (*file) *path++ = *file++;
  *path = 0;
}

long read_file(const char* path, char* buffer, size_t size) {
  long fd = sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (failed(fd)) return fd;
  long length = read_all((int)fd, buffer, size - 1);
  sys(SYS_close, fd);
  if (!failed(length)) buffer[length] = 0;
  return length;
}

long write_all(int fd, const void* data, size_t size) {
  for (size_t done = 0; done < size;) {
    long n = sys(SYS_write, fd, (const char*)data + done, size - done);
    if (n == -EAGAIN) {
      struct pollfd ready = {fd, POLLOUT, 0};
      n = sys(SYS_ppoll, &ready, 1, nullptr, nullptr, 0);
      if (!failed(n) || n == -EINTR) continue;
    }
    if (n == -EINTR) continue;
    if (failed(n)) return n;
    done += (size_t)n;
  }
  return 0;
}

long read_all(int fd, void* data, size_t size) {
  size_t done = 0;
  while (done < size) {
    long n = sys(SYS_read, fd, (char*)data + done, size - done);
    if (n == -EINTR) continue;
    if (failed(n)) return n;
    if (n == 0) break;
    done += (size_t)n;
  }
  return (long)done;
}

}  // namespace forkall
