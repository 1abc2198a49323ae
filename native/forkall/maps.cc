#include "forkall/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

namespace forkall {

namespace {

uint64_t parse_number(const char*& at, int base) {
  for (uint64_t value = 0;; ++at) {
    int digit = *at >= '0' && *at <= '9'   ? *at - '0'
                : *at >= 'a' && *at <= 'f' ? *at - 'a' + 10
                                           : base;
    if (digit >= base) return value;
    value = value * (uint64_t)base + (uint64_t)digit;
  }
}

// start-end perms offset major:minor inode   path
Mapping parse_line(const char* at) {
  Mapping mapping = {};
  mapping.start = parse_number(at, 16);
  ++at;
  mapping.end = parse_number(at, 16);
  mapping.readable = at[1] == 'r';
  mapping.writable = at[2] == 'w';
  mapping.executable = at[3] == 'x';
  mapping.shared = at[4] == 's';
  at += 6;
  mapping.offset = parse_number(at, 16);
  ++at;
  parse_number(at, 16);
  ++at;
  parse_number(at, 16);
  ++at;
  mapping.inode = parse_number(at, 10);
  while (*at == ' ') ++at;
  mapping.ring = strncmp(at, "anon_inode:[io_uring]", 21) == 0;
  return mapping;
}

}  // namespace

long open_own(const char* path) {
  return sys(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
}

long read_maps(int fd, List<Mapping>& mappings) {
  // The kernel gives whole lines, about a page of them at a time.
  char text[16384];
  size_t kept = 0;
  for (;;) {
    long length = sys(SYS_read, fd, text + kept, sizeof text - 1 - kept);
    if (length == -EINTR) continue;
    if (failed(length)) return length;
    if (length == 0) return kept == 0 ? 0 : -EBADMSG;
    const size_t size = kept + (size_t)length;
    text[size] = 0;
    const char* line = text;
    while (const char* end =
               (const char*)memchr(line, '\n', (size_t)(text + size - line))) {
      Mapping* mapping = mappings.add();
      if (!mapping) return -ENOMEM;
      *mapping = parse_line(line);
      line = end + 1;
    }
    kept = (size_t)(text + size - line);
    memmove(text, line, kept);
  }
}

}  // namespace forkall
