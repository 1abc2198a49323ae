// Kernel objects that only one process may use: a fork shares them, and while
// both processes live a shared eventfd or epoll loses wake-ups. The child gets
// its own, under the same descriptor numbers, before any thread runs in it.
#pragma once

#include "forkall/arena.h"
#include "forkall/search.h"

namespace forkall {

/** One descriptor of such an object. */
struct KernelObject {
  enum Kind : uint32_t { kEvent, kPipe, kTimer, kEpoll, kRing };
  Kind kind;
  int fd;
  int flags;          // of the open file, and O_CLOEXEC of the descriptor
  bool write_end;     // of a pipe
  bool semaphore;     // eventfd
  uint64_t identity;  // the same for all descriptors of one object
  uint64_t count;     // eventfd
  int clock;          // timerfd, and the rest in seconds and nanoseconds
  int64_t timing[4];  // interval, value: as struct itimerspec
  uint32_t first_entry, entries;  // epoll: its part of the entries
};

/** One line of an epoll's table. */
struct EpollEntry {
  int fd;
  uint32_t events;
  uint64_t data;
};

class KernelObjects {
 public:
  long open(Arena& arena);
  void close();

  /** A descriptor of forkall itself, which is no part of the process. */
  void ignore(int fd) { ignored_[ignored_count_++] = fd; }

  /** In the parent, all threads stopped: notes every object and its state. */
  long survey();

  /** Is every ring found once and empty? EBUSY: not now. ENOTSUP: never. */
  long check_rings(const List<RingRecord>& records) const;

  /** In the child: replaces what was noted. */
  long replace(const List<RingRecord>& records) const;

 private:
  long look_at(int fd);
  long look_at_pipe(int fd, uint64_t inode);
  long look_at_anonymous(int fd, const char* name);
  void look_at_timer(int fd, int64_t timing[4]) const;
  long note_epoll_table(KernelObject& epoll);
  uint64_t identify(const KernelObject& object) const;

  bool leads(const KernelObject& object) const;
  long put(long made, const KernelObject& old) const;
  long replace_pipe(const KernelObject& pipe) const;
  long fill_epoll(const KernelObject& epoll) const;

  List<KernelObject> objects_;
  List<EpollEntry> entries_;
  char* text_ = nullptr;  // of an fdinfo file
  int directory_ = -1;
  int ignored_[8] = {};
  uint32_t ignored_count_ = 0;
};

}  // namespace forkall
