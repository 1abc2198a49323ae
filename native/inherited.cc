#include "inherited.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include "forkall/fdinfo.h"
#include "loop.h"

namespace inherited {

namespace {

struct Descriptor {
  int fd;
  struct stat status;
};

std::vector<Descriptor> open_at_load;

std::vector<Descriptor> list_open() {
  std::vector<Descriptor> found;
  const int directory =
      ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory == -1) return found;
  forkall::each_number(directory, [&](int fd) {
    Descriptor descriptor = {fd, {}};
    // glibc has a function for this only since 2.33.
    if (fd != directory && ::syscall(SYS_fstat, fd, &descriptor.status) == 0)
      found.push_back(descriptor);
  });
  ::close(directory);
  return found;
}

bool same(const Descriptor& a, const Descriptor& b) {
  return a.fd == b.fd && a.status.st_dev == b.status.st_dev &&
         a.status.st_ino == b.status.st_ino;
}

bool was_open(const Descriptor& descriptor) {
  return std::any_of(
      open_at_load.begin(), open_at_load.end(),
      [&](const Descriptor& other) { return same(descriptor, other); });
}

int access_mode(int fd) { return ::fcntl(fd, F_GETFL) & O_ACCMODE; }

bool has_both_ends(const Descriptor& pipe,
                   const std::vector<Descriptor>& open) {
  const int mode = access_mode(pipe.fd);
  return std::any_of(open.begin(), open.end(), [&](const Descriptor& other) {
    return other.status.st_ino == pipe.status.st_ino &&
           other.status.st_dev == pipe.status.st_dev &&
           access_mode(other.fd) != mode;
  });
}

// Node's own: it always sets close-on-exec on these.
bool is_internal(const Descriptor& descriptor,
                 const std::vector<Descriptor>& open) {
  if (!(::fcntl(descriptor.fd, F_GETFD) & FD_CLOEXEC)) return false;
  const mode_t type = descriptor.status.st_mode & S_IFMT;
  // Anonymous inodes, such as those of epoll, have no type.
  return type == 0 || (type == S_IFIFO && has_both_ends(descriptor, open));
}

// What the epolls of this process wait for: JavaScript's sockets, in Workers
// too, and the inspector's.
std::vector<int> list_polled(const std::vector<Descriptor>& open) {
  std::vector<int> polled;
  std::vector<char> text(1 << 16);
  for (const Descriptor& descriptor : open) {
    if ((descriptor.status.st_mode & S_IFMT) != 0) continue;
    long length;
    while ((length = forkall::read_fdinfo(descriptor.fd, text.data(),
                                          text.size())) ==
           static_cast<long>(text.size()) - 1)
      text.resize(text.size() * 2);
    if (length < 0) continue;
    const char* at = text.data();
    for (uint64_t fd; forkall::next_field(at, "tfd:", 10, &fd);)
      polled.push_back(static_cast<int>(fd));
  }
  return polled;
}

}  // namespace

void remember() {
  // Workers load the addon once more, and later.
  static std::atomic_flag done = ATOMIC_FLAG_INIT;
  if (!done.test_and_set()) open_at_load = list_open();
}

std::vector<int> list(uv_loop_t* loop) {
  const std::vector<Descriptor> open = list_open();
  std::vector<int> found;
  for (const Descriptor& descriptor : open)
    if (descriptor.fd > 2 && was_open(descriptor) &&
        !is_internal(descriptor, open))
      found.push_back(descriptor.fd);
  if (found.empty()) return found;
  std::vector<int> used = list_polled(open);
  for (const loop::Handle& handle : loop::handles(loop))
    used.push_back(handle.fd);
  found.erase(std::remove_if(found.begin(), found.end(),
                             [&](int fd) {
                               return std::find(used.begin(), used.end(), fd) !=
                                      used.end();
                             }),
              found.end());
  return found;
}

}  // namespace inherited
