#include "file_identity.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace posix {

namespace {

FileIdentity of(const struct stat& found) {
  return {static_cast<uint64_t>(found.st_dev),
          static_cast<uint64_t>(found.st_ino)};
}

}  // namespace

// glibc has functions for these only since 2.33.
bool identify(int fd, FileIdentity& identity) noexcept {
  struct stat found;
  if (::syscall(SYS_fstat, fd, &found) != 0) return false;
  identity = of(found);
  return true;
}

bool identify(const char* path, FileIdentity& identity) noexcept {
  struct stat found;
  if (::syscall(SYS_newfstatat, AT_FDCWD, path, &found, 0) != 0) return false;
  identity = of(found);
  return true;
}

}  // namespace posix
