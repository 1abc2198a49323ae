#include "locks.h"

#include <fcntl.h>
#include <unistd.h>

#include "result.h"

namespace posix {

namespace {

struct flock describe(int type, double start, double length) {
  struct flock lock = {};  // the kernel insists on an l_pid of 0
  lock.l_type = static_cast<short>(type);
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(start);
  lock.l_len = static_cast<off_t>(length);
  return lock;
}

int set(int fd, struct flock lock) {
  return uninterrupted([&] { return ::fcntl(fd, F_OFD_SETLK, &lock); });
}

}  // namespace

int lock_range(int fd, double start, double length) noexcept {
  const int locked = set(fd, describe(F_WRLCK, start, length));
  if (locked == -EAGAIN || locked == -EACCES) return 0;
  return locked < 0 ? locked : 1;
}

int unlock_range(int fd, double start, double length) noexcept {
  return set(fd, describe(F_UNLCK, start, length));
}

std::array<double, 3> find_lock(int fd) noexcept {
  struct flock lock = describe(F_RDLCK, 0, 0);
  const int asked =
      uninterrupted([&] { return ::fcntl(fd, F_OFD_GETLK, &lock); });
  if (asked < 0) return {static_cast<double>(asked)};
  if (lock.l_type == F_UNLCK) return {0};
  return {1, static_cast<double>(lock.l_pid), static_cast<double>(lock.l_len)};
}

}  // namespace posix
