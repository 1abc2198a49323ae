// What one logger has to send: a bounded queue, its policy of what to drop, and
// its counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "file_identity.h"
#include "lines.h"
#include "log_entry.h"

namespace posix {

class LogSender;

struct LogChannelOptions {
  std::string ident;
  int facility = 0;
  bool pid = true;
  size_t bound = 0;         // of the queue, in bytes of memory
  size_t piece = 0;         // the longest text of one entry
  int64_t patience = 0;     // ms that an exit waits
  int fallback = -1;        // descriptor of a file, or -1; the channel's own
  int64_t without_way = 0;  // ms before the file is used
};

struct LogCounts {
  uint64_t queued, bytes, sent, dropped, fallback;
};

// But for the options, all of it is under the lock of the sender's queue.
class LogChannel {
 public:
  LogChannel(LogSender& sender, LogChannelOptions options);

  LogSender& sender;
  const LogChannelOptions options;
  LogChannel* next = nullptr;  // of the same sender
  bool closed = false;         // nobody will push any more

  // Takes a line in, and drops what is less urgent if it must.
  void push(int priority, const char* text, size_t size, uint64_t sequence);

  // Whether a line of this size would drop nothing.
  bool has_room(size_t size) const {
    return bytes_ == 0 ||
           bytes_ + LogEntry::cost_of(size + kLongestHeader) <= options.bound;
  }
  bool is_half_full() const { return bytes_ > options.bound / 2; }

  // The sequence of the oldest that is queued, or ~0.
  uint64_t oldest() const;
  // The oldest that is queued; it still counts until it is sent.
  LogEntry* take();

  // What became of an entry that was taken; frees nothing.
  void count_sent(const LogEntry& entry);
  void count_returned(const LogEntry& entry);

  // What was given up for the fallback file.
  void take_spilled(LogEntries& to);
  // Appends it to the file, unless that is closed. The one thing that needs no
  // lock: it may take long.
  bool write(LogEntry& entry) const;
  // At its end.
  void close_file() const;
  // For what was taken, or spilled.
  void count_written(const LogEntry& entry, bool written);
  // It is sent in parts instead.
  void count_split(const LogEntry& entry);
  // It was taken, and can never be sent.
  void count_dropped(const LogEntry& entry);

  // The message that tells how many were dropped, if it is time for it; it is
  // taken already.
  LogEntry* make_notice(int64_t now);
  bool owes_notice() const { return counts_.dropped > noticed_; }

  // A part of an entry that was too long, under its header.
  LogEntry* make_part(const LogEntry& whole, const std::string& text);

  LogCounts counts() const {
    LogCounts counts = counts_;
    counts.bytes = bytes_;
    return counts;
  }
  bool idle() const { return counts_.queued == 0 && spilled_bytes_ == 0; }

  // In the child of a fork: what is queued is the parent's.
  void begin_anew();

  // How many entries point here.
  size_t uses = 0;

 private:
  // More than any header takes.
  static constexpr size_t kLongestHeader = 320;

  void cut_off(ssize_t written) const;
  LogEntry* make(int priority, const char* text, size_t size);
  void free(LogEntry* entry);
  void give_up(LogEntry* entry);
  const std::string& header();
  int least_urgent() const;

  bool has_file() const;

  FileIdentity file_;
  LogEntries lists_[8];  // by priority
  LogEntries spilled_;   // given up, for the file
  size_t bytes_ = 0;
  size_t spilled_bytes_ = 0;
  LogCounts counts_ = {};
  uint64_t noticed_ = 0;
  int64_t noticed_at_ = 0;
  std::string header_;
  int64_t header_second_ = -1;
  int header_pid_ = -1;
};

// Milliseconds of a clock that nobody sets.
int64_t log_clock();

}  // namespace posix
