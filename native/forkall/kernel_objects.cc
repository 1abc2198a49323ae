#include "forkall/kernel_objects.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "forkall/fdinfo.h"

// Noting what there is, in the parent.

namespace forkall {

namespace {

constexpr uint32_t kMaxObjects = 65536;
constexpr uint32_t kMaxEntries = 1 << 18;
constexpr size_t kMaxText = 16 << 20;

}  // namespace

long KernelObjects::open(Arena& arena) {
  ignored_count_ = 0;
  text_ = arena.take<char>(kMaxText);
  if (!text_ || !objects_.open(arena, kMaxObjects) ||
      !entries_.open(arena, kMaxEntries))
    return -ENOMEM;
  long fd = sys(SYS_openat, AT_FDCWD, "/proc/self/fd",
                O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (failed(fd)) return fd;
  directory_ = (int)fd;
  ignore(directory_);
  return 0;
}

void KernelObjects::close() {
  if (directory_ >= 0) sys(SYS_close, directory_);
  directory_ = -1;
}

long KernelObjects::survey() {
  long error = 0;
  long listed = each_number(directory_, [&](int fd) {
    for (uint32_t i = 0; i < ignored_count_; ++i)
      if (ignored_[i] == fd) return;
    long result = look_at(fd);
    if (failed(result)) error = result;
  });
  return failed(listed) ? listed : error;
}

long KernelObjects::look_at(int fd) {
  struct stat status;
  long error = sys(SYS_fstat, fd, &status);
  if (failed(error)) return error;
  switch (status.st_mode & S_IFMT) {
    case S_IFIFO:
      return look_at_pipe(fd, status.st_ino);
    case S_IFREG:
    case S_IFSOCK:
    case S_IFDIR:
    case S_IFCHR:
    case S_IFBLK:
      return 0;
  }
  char path[kProcPath], name[32];
  proc_path(path, "/proc/self/fd/", fd, "");
  long length = sys(SYS_readlinkat, AT_FDCWD, path, name, sizeof name - 1);
  if (failed(length)) return length;
  name[length] = 0;
  return look_at_anonymous(fd, name);
}

// A pipe into which another process writes, or which it reads, stays shared:
// replace() only touches one that has both ends here.
long KernelObjects::look_at_pipe(int fd, uint64_t inode) {
  const long flags = sys(SYS_fcntl, fd, F_GETFL);
  const long closes = sys(SYS_fcntl, fd, F_GETFD);
  if (failed(flags)) return flags;
  if (!(closes & FD_CLOEXEC)) return 0;
  KernelObject* pipe = objects_.add();
  if (!pipe) return -ENOMEM;
  pipe->kind = KernelObject::kPipe;
  pipe->fd = fd;
  pipe->flags = (int)flags | O_CLOEXEC;
  pipe->write_end = (flags & O_ACCMODE) == O_WRONLY;
  pipe->identity = inode;
  return 0;
}

long KernelObjects::look_at_anonymous(int fd, const char* name) {
  static const struct {
    const char* name;
    KernelObject::Kind kind;
  } kKinds[] = {
      {"anon_inode:[eventfd]", KernelObject::kEvent},
      {"anon_inode:[timerfd]", KernelObject::kTimer},
      {"anon_inode:[eventpoll]", KernelObject::kEpoll},
      {"anon_inode:[io_uring]", KernelObject::kRing},
  };
  for (const auto& known : kKinds) {
    if (strcmp(name, known.name) != 0) continue;
    KernelObject* object = objects_.add();
    if (!object) return -ENOMEM;
    if (known.kind == KernelObject::kTimer) look_at_timer(fd, object->timing);
    long length = read_fdinfo(fd, text_, kMaxText);
    if (failed(length)) return length;
    if ((size_t)length == kMaxText - 1) return -ENOMEM;
    object->kind = known.kind;
    object->fd = fd;
    object->flags = (int)field(text_, "flags:", 8);
    object->identity = identify(*object);
    object->count = known.kind == KernelObject::kTimer
                        ? field(text_, "ticks:", 10)
                        : field(text_, "eventfd-count:", 16);
    object->semaphore = field(text_, "eventfd-semaphore:", 10) == 1;
    object->clock = (int)field(text_, "clockid:", 10);
    return known.kind == KernelObject::kEpoll ? note_epoll_table(*object) : 0;
  }
  return 0;
}

// An interval timer that has expired stands still until it is read; this call
// counts its ticks and sets it going again. Then they can be read.
void KernelObjects::look_at_timer(int fd, int64_t timing[4]) const {
  constexpr int kTries = 3;
  for (int i = 0; i < kTries; ++i) {
    sys(SYS_timerfd_gettime, fd, timing);
    if (timing[2] || timing[3]) return;
    // Not set, or just due: then its tick is counted a moment later.
    const struct timespec moment = {0, 50000};
    sys(SYS_nanosleep, &moment, nullptr);
  }
  if (timing[0] || timing[1]) timing[3] = 1;  // due, but on a busy CPU
}

// dup(2) gives an object a second descriptor.
uint64_t KernelObjects::identify(const KernelObject& object) const {
  const long pid = sys(SYS_getpid);
  for (const KernelObject& other : objects_)
    if (other.kind == object.kind && other.fd != object.fd &&
        sys(SYS_kcmp, pid, pid, KCMP_FILE, other.fd, object.fd) == 0)
      return other.identity;
  return (uint64_t)object.fd;
}

// tfd: 11 events: 19 data: b pos:0 ino:37d2 sdev:f
long KernelObjects::note_epoll_table(KernelObject& epoll) {
  epoll.first_entry = entries_.count;
  const char* at = text_;
  uint64_t fd, events, data, inode;
  while (next_field(at, "tfd:", 10, &fd) &&
         next_field(at, "events:", 16, &events) &&
         next_field(at, "data:", 16, &data) &&
         next_field(at, "ino:", 16, &inode)) {
    // A table keeps a file whose number was closed while a duplicate lives;
    // it cannot be addressed any more, here or in a new table.
    struct stat status;
    if (failed(sys(SYS_fstat, fd, &status)) || status.st_ino != inode) continue;
    EpollEntry* entry = entries_.add();
    if (!entry) return -ENOMEM;
    *entry = {(int)fd, (uint32_t)events, data};
  }
  epoll.entries = entries_.count - epoll.first_entry;
  return 0;
}

long KernelObjects::check_rings(const List<RingRecord>& records) const {
  long verdict = 0;
  for (const KernelObject& object : objects_) {
    if (object.kind != KernelObject::kRing) continue;
    uint32_t found = 0;
    for (const RingRecord& record : records) {
      if (*record.fd != object.fd) continue;
      ++found;
      if (*record.in_flight) verdict = -EBUSY;
    }
    if (found != 1) return -ENOTSUP;
    char text[1024];
    long length = read_fdinfo(object.fd, text, sizeof text);
    if (failed(length)) return length;
    if (field(text, "SqHead:", 10) != field(text, "SqTail:", 10) ||
        field(text, "CqHead:", 10) != field(text, "CqTail:", 10))
      verdict = -EBUSY;
  }
  return verdict;
}

}  // namespace forkall
