#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "forkall/kernel_objects.h"

// Making them anew, in the child.

namespace forkall {

namespace {

using Kind = KernelObject::Kind;

constexpr int kSemaphore = 1;                                // EFD_SEMAPHORE
constexpr unsigned long kSetTicks = _IOW('T', 0, uint64_t);  // TFD_IOC_SET_...

long make_event(const KernelObject& old) {
  const int flags = (old.flags & O_NONBLOCK) | (old.semaphore ? kSemaphore : 0);
  long fd = sys(SYS_eventfd2, 0, flags | O_CLOEXEC);
  if (failed(fd) || old.count == 0) return fd;
  long written = sys(SYS_write, fd, &old.count, sizeof old.count);
  return failed(written) ? written : fd;
}

long make_timer(const KernelObject& old) {
  long fd =
      sys(SYS_timerfd_create, old.clock, (old.flags & O_NONBLOCK) | O_CLOEXEC);
  if (failed(fd)) return fd;
  long set = sys(SYS_timerfd_settime, fd, 0, old.timing, nullptr);
  if (failed(set) || old.count == 0) return failed(set) ? set : fd;
  if (!failed(sys(SYS_ioctl, fd, kSetTicks, &old.count))) return fd;
  // A kernel without checkpoint and restore: then at least a single tick is
  // not lost.
  const int64_t at_once[4] = {0, 0, 0, 1};
  if (old.timing[2] == 0 && old.timing[3] == 0)
    sys(SYS_timerfd_settime, fd, 0, at_once, nullptr);
  return fd;
}

}  // namespace

// The first of an object's descriptors stands for all.
bool KernelObjects::leads(const KernelObject& object) const {
  for (const KernelObject& other : objects_)
    if (other.kind == object.kind && other.identity == object.identity)
      return &other == &object;
  return true;
}

// Every descriptor of `old` now means what `made` means.
long KernelObjects::put(long made, const KernelObject& old) const {
  if (failed(made)) return made;
  for (const KernelObject& other : objects_) {
    if (other.kind != old.kind || other.identity != old.identity ||
        other.write_end != old.write_end)
      continue;
    long moved = sys(SYS_dup3, made, other.fd, other.flags & O_CLOEXEC);
    if (failed(moved)) return moved;
  }
  return sys(SYS_close, made);
}

long KernelObjects::replace_pipe(const KernelObject& pipe) const {
  const KernelObject* ends[2] = {nullptr, nullptr};
  for (const KernelObject& other : objects_)
    if (other.kind == Kind::kPipe && other.identity == pipe.identity &&
        !ends[other.write_end])
      ends[other.write_end] = &other;
  if (!ends[0] || !ends[1]) return 0;
  int made[2];
  long error = sys(SYS_pipe2, made, O_CLOEXEC);
  if (failed(error)) return error;
  const long room = sys(SYS_fcntl, ends[0]->fd, F_GETPIPE_SZ);
  // What is in the pipe must fit; a pipe over the user's limit stays at 64 KiB.
  sys(SYS_fcntl, made[1], F_SETPIPE_SZ, room);
  int content = 0;
  sys(SYS_ioctl, ends[0]->fd, FIONREAD, &content);
  long copied =
      sys(SYS_tee, ends[0]->fd, made[1], INT32_MAX, SPLICE_F_NONBLOCK);
  if (copied == -EAGAIN) copied = 0;
  if (failed(copied)) return copied;
  if (copied != content) return -ENOBUFS;
  for (int end = 0; end < 2; ++end) {
    const int flags = ends[end]->flags & (O_NONBLOCK | O_DIRECT);
    error = sys(SYS_fcntl, made[end], F_SETFL, flags);
    if (!failed(error)) error = put(made[end], *ends[end]);
    if (failed(error)) return error;
  }
  return 0;
}

long KernelObjects::fill_epoll(const KernelObject& epoll) const {
  for (uint32_t i = 0; i < epoll.entries; ++i) {
    const EpollEntry& entry = entries_[epoll.first_entry + i];
    struct epoll_event event = {};
    event.events = entry.events;
    event.data.u64 = entry.data;
    long added = sys(SYS_epoll_ctl, epoll.fd, EPOLL_CTL_ADD, entry.fd, &event);
    if (failed(added)) return added;
  }
  return 0;
}

long KernelObjects::replace(const List<RingRecord>& records) const {
  long error = 0;
  for (const KernelObject& object : objects_) {
    if (!leads(object)) continue;
    if (object.kind == Kind::kEvent) error = put(make_event(object), object);
    if (object.kind == Kind::kTimer) error = put(make_timer(object), object);
    if (object.kind == Kind::kPipe) error = replace_pipe(object);
    if (object.kind == Kind::kEpoll)
      error = put(sys(SYS_epoll_create1, O_CLOEXEC), object);
    if (failed(error)) return error;
  }
  // Tables go by descriptor: they are filled once all of those are in place.
  for (const KernelObject& object : objects_) {
    if (object.kind != Kind::kEpoll || !leads(object)) continue;
    error = fill_epoll(object);
    if (failed(error)) return error;
  }
  // -1 is libuv's own sign for "no ring": it uses epoll_ctl and its pool.
  for (const RingRecord& record : records) {
    sys(SYS_close, *record.fd);
    *record.fd = -1;
    sys(SYS_munmap, record.sq, record.sq_size);
    sys(SYS_munmap, record.sqe, record.sqe_size);
  }
  return 0;
}

}  // namespace forkall
