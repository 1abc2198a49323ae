#include "log_flight.h"

namespace posix {

// While it tells that a message was read, the kernel still counts a byte of it.
constexpr uint64_t kBeingFreed = 64;

void LogFlight::add(LogEntry* entry, uint32_t charge) {
  entry->charged = charge;
  charged_ += charge;
  ++count_;
  ++unlooked_;
  entries_.push(entry);
}

void LogFlight::look(const LogSocket& socket) {
  seen_read_ = unlooked_ = 0;
  if (entries_.empty()) return;
  const int unread = socket.unread();
  if (unread < 0) return;
  uint64_t left = charged_;
  for (LogEntry* entry = entries_.first(); entry; entry = entry->next) {
    if (left - entry->charged + kBeingFreed < static_cast<uint64_t>(unread))
      return;
    left -= entry->charged;
    ++seen_read_;
  }
}

void LogFlight::prove(LogEntries& read) {
  for (; seen_read_ > 0; --seen_read_) {
    LogEntry* entry = entries_.pop();
    charged_ -= entry->charged;
    --count_;
    read.push(entry);
  }
}

LogEntries LogFlight::take_back() {
  LogEntries unread = entries_;
  entries_ = {};
  charged_ = 0;
  count_ = seen_read_ = unlooked_ = 0;
  return unread;
}

}  // namespace posix
