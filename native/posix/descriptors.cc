#include "descriptors.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "result.h"

namespace posix {

namespace {

// The numbers of all open descriptors, that of the listed directory as well.
int list(int directory, std::vector<int>& fds) {
  // On 64-bit systems the kernel's entries are those of the C library.
  alignas(dirent) char buffer[4096];
  for (;;) {
    // glibc has a function for this only since 2.30.
    const long length =
        ::syscall(SYS_getdents64, directory, buffer, sizeof buffer);
    if (length <= 0) return static_cast<int>(result(length));
    for (long at = 0; at < length;) {
      const auto* entry = reinterpret_cast<const dirent*>(buffer + at);
      if (entry->d_name[0] != '.') fds.push_back(std::atoi(entry->d_name));
      at += entry->d_reclen;
    }
  }
}

}  // namespace

int dup2(int oldfd, int newfd) noexcept {
  int fd = ::dup2(oldfd, newfd);
  // Another thread is just opening newfd: it is over in a moment.
  while (fd == -1 && errno == EBUSY) fd = ::dup2(oldfd, newfd);
  return result(fd);
}

int close(int fd) noexcept {
  const int closed = result(::close(fd));
  // Linux has closed it by then; another thread may have the number already.
  return closed == -EINTR ? 0 : closed;
}

int closefrom(int lowfd, const std::vector<int>& except) noexcept {
  const int directory =
      result(::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory < 0) return directory;
  std::vector<int> fds;
  int error = list(directory, fds);
  close(directory);
  if (error < 0) return error;

  for (const int fd : fds) {
    if (fd < lowfd || fd == directory) continue;
    if (std::find(except.begin(), except.end(), fd) != except.end()) continue;
    const int closed = close(fd);
    if (error == 0 && closed != -EBADF) error = closed;
  }
  return error;
}

int flock(int fd, int operation) noexcept {
  const int locked = uninterrupted([=] { return ::flock(fd, operation); });
  if (locked == -EWOULDBLOCK) return 0;
  return locked < 0 ? locked : 1;
}

int set_cloexec(int fd, int on) noexcept {
  const int flags = result(::fcntl(fd, F_GETFD));
  if (flags < 0) return flags;
  return result(
      ::fcntl(fd, F_SETFD, on ? flags | FD_CLOEXEC : flags & ~FD_CLOEXEC));
}

std::array<double, 2> pipe() noexcept {
  int ends[2];
  const int error = result(::pipe(ends));
  if (error < 0) return {static_cast<double>(error), 0};
  return {static_cast<double>(ends[0]), static_cast<double>(ends[1])};
}

}  // namespace posix
