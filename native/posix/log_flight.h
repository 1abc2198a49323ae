// What was sent to a log daemon that may not have read it: it dies with the
// daemon's socket, and is then sent again.
//
// The kernel tells how much of what a socket has sent is unread (SIOCOUTQ), and
// messages are read in order: so it is known which ones those are. But when the
// daemon's socket ends, its messages are thrown away, and look as if they were
// read. So a look counts only once it is known that the daemon was there after
// it: a message could be sent, or its address still leads to it.
#pragma once

#include "log_entry.h"
#include "log_socket.h"

namespace posix {

class LogFlight {
 public:
  // A message was sent: it is unread until a look says otherwise.
  void add(LogEntry* entry, uint32_t charge);

  // What is unread now, as far as the kernel says.
  void look(const LogSocket& socket);
  bool has_unproved() const { return seen_read_ > 0; }

  // The daemon was there after the look: what was read then will not be needed.
  void prove(LogEntries& read);

  // The daemon is gone: what was not proved to be read, in order.
  LogEntries take_back();

  bool empty() const { return entries_.empty(); }
  // How many were unread at the last look, or were added since.
  size_t unread() const { return count_ - seen_read_; }
  size_t unlooked() const { return unlooked_; }

 private:
  LogEntries entries_;
  uint64_t charged_ = 0;  // the sum
  size_t count_ = 0;
  size_t seen_read_ = 0;  // of the first ones, not proved
  size_t unlooked_ = 0;   // added since the last look
};

}  // namespace posix
