// A message on its way to a log daemon.
#pragma once

#include <cstddef>
#include <cstdint>

namespace posix {

class LogChannel;

// One block of memory: the datagram, "<30>Nov 22 21:14:48 clock[7]: text" and a
// NUL that does not count, follows the structure.
struct LogEntry {
  LogEntry* next;
  LogChannel* channel;
  uint64_t sequence;  // across all channels of a path
  uint32_t size;
  uint32_t header;   // how much of it comes before the text
  uint32_t mark;     // how much of it is "<30>"
  uint32_t charged;  // what the kernel counts for it while it is unread
  int priority;
  bool notice;   // of what was dropped
  bool spilled;  // dropped, and on its way to a file

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }

  // What it costs in memory, with the allocator's own share.
  size_t cost() const { return cost_of(size); }
  static constexpr size_t cost_of(size_t size) {
    return sizeof(LogEntry) + size + 1 + 16;
  }

  // Null where there is no memory.
  static LogEntry* make(size_t size) noexcept;
  static void free(LogEntry* entry) noexcept;
};

// A list that owns nothing.
class LogEntries {
 public:
  bool empty() const { return first_ == nullptr; }
  LogEntry* first() const { return first_; }

  void push(LogEntry* entry);
  void push_first(LogEntry* entry);
  LogEntry* pop();

  // Takes all of another list and puts it before what is here.
  void prepend(LogEntries& others);

 private:
  LogEntry* first_ = nullptr;
  LogEntry* last_ = nullptr;
};

}  // namespace posix
