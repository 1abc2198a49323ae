#include "log_channel.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>

#include "descriptors.h"
#include "own_pid.h"
#include "result.h"

namespace posix {

namespace {

constexpr int64_t kNoticeMilliseconds = 1000;

// "<30>", the number of facility and priority.
size_t write_mark(char* to, int number) {
  size_t size = 0;
  to[size++] = '<';
  if (number >= 100) to[size++] = static_cast<char>('0' + number / 100);
  if (number >= 10) to[size++] = static_cast<char>('0' + number / 10 % 10);
  to[size++] = static_cast<char>('0' + number % 10);
  to[size++] = '>';
  return size;
}

constexpr size_t kLongestMark = 5;

}  // namespace

int64_t log_clock() {
  struct timespec time;
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * int64_t{1000} + time.tv_nsec / 1000000;
}

LogChannel::LogChannel(LogSender& sender, LogChannelOptions options)
    : sender(sender), options(std::move(options)) {
  if (this->options.fallback >= 0) identify(this->options.fallback, file_);
}

// "Nov 22 21:14:48 clock[7]: ", in English whatever the locale.
const std::string& LogChannel::header() {
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t second = ::time(nullptr);
  // After a fork it is another one.
  const int pid = own_pid();
  if (second == header_second_ && pid == header_pid_) return header_;
  struct tm local = {};
  ::localtime_r(&second, &local);
  char text[64];
  std::snprintf(text, sizeof text, "%s %2d %02d:%02d:%02d ",
                kMonths[local.tm_mon], local.tm_mday, local.tm_hour,
                local.tm_min, local.tm_sec);
  header_ = text + options.ident;
  std::snprintf(text, sizeof text, "[%d]", pid);
  if (options.pid) header_ += text;
  header_ += ": ";
  header_second_ = second;
  header_pid_ = pid;
  return header_;
}

LogEntry* LogChannel::make(int priority, const char* text, size_t size) {
  const std::string& head = header();
  char mark[kLongestMark];
  const size_t marked = write_mark(mark, options.facility | priority);
  LogEntry* entry = LogEntry::make(marked + head.size() + size);
  if (entry == nullptr) return nullptr;
  entry->channel = this;
  entry->priority = priority;
  entry->mark = static_cast<uint32_t>(marked);
  entry->header = static_cast<uint32_t>(marked + head.size());
  std::memcpy(entry->data(), mark, marked);
  std::memcpy(entry->data() + marked, head.data(), head.size());
  std::memcpy(entry->data() + entry->header, text, size);
  ++uses;
  return entry;
}

LogEntry* LogChannel::make_part(const LogEntry& whole,
                                const std::string& text) {
  LogEntry* entry = LogEntry::make(whole.header + text.size());
  if (entry == nullptr) return nullptr;
  const size_t size = entry->size;
  std::memcpy(entry->data(), whole.data(), whole.header);
  std::memcpy(entry->data() + whole.header, text.data(), text.size());
  *entry = whole;
  entry->size = static_cast<uint32_t>(size);
  ++uses;
  ++counts_.queued;
  bytes_ += entry->cost();
  return entry;
}

void LogChannel::free(LogEntry* entry) {
  --uses;
  LogEntry::free(entry);
}

int LogChannel::least_urgent() const {
  for (int priority = LOG_DEBUG; priority >= LOG_EMERG; --priority)
    if (!lists_[priority].empty()) return priority;
  return -1;
}

void LogChannel::push(int priority, const char* text, size_t size,
                      uint64_t sequence) {
  LogEntry* entry = make(priority, text, size);
  if (entry == nullptr) {
    ++counts_.dropped;
    return;
  }
  entry->sequence = sequence;
  // No room that is made for it would do.
  if (entry->cost() > options.bound) return give_up(entry);
  while (bytes_ + entry->cost() > options.bound) {
    const int least = least_urgent();
    if (least < priority) return give_up(entry);
    LogEntry* victim = lists_[least].pop();
    --counts_.queued;
    bytes_ -= victim->cost();
    give_up(victim);
  }
  lists_[priority].push(entry);
  ++counts_.queued;
  bytes_ += entry->cost();
}

// The file is written to by the thread; a disk that is slow has a bound too.
void LogChannel::give_up(LogEntry* entry) {
  if (options.fallback < 0 || spilled_bytes_ + entry->cost() > options.bound) {
    ++counts_.dropped;
    return free(entry);
  }
  spilled_bytes_ += entry->cost();
  entry->spilled = true;
  spilled_.push(entry);
}

uint64_t LogChannel::oldest() const {
  uint64_t sequence = ~uint64_t{0};
  for (const LogEntries& list : lists_)
    if (!list.empty() && list.first()->sequence < sequence)
      sequence = list.first()->sequence;
  return sequence;
}

LogEntry* LogChannel::take() {
  const uint64_t sequence = oldest();
  for (LogEntries& list : lists_)
    if (!list.empty() && list.first()->sequence == sequence) return list.pop();
  return nullptr;
}

void LogChannel::count_sent(const LogEntry& entry) {
  if (entry.notice) return;
  --counts_.queued;
  bytes_ -= entry.cost();
  ++counts_.sent;
}

void LogChannel::count_returned(const LogEntry& entry) {
  if (entry.notice) return;
  ++counts_.queued;
  bytes_ += entry.cost();
  --counts_.sent;
}

void LogChannel::take_spilled(LogEntries& to) {
  while (LogEntry* entry = spilled_.pop()) to.push(entry);
}

// Whoever closes it gives its number to another file.
bool LogChannel::has_file() const {
  FileIdentity found;
  return identify(options.fallback, found) && found == file_;
}

void LogChannel::close_file() const {
  if (options.fallback >= 0 && has_file()) posix::close(options.fallback);
}

// A line of its own, in one piece: others may append to the file as well.
bool LogChannel::write(LogEntry& entry) const {
  if (!has_file()) return false;
  const char* line = entry.data() + entry.mark;
  const size_t size = entry.size - entry.mark + 1;
  entry.data()[entry.size] = '\n';
  const auto written =
      uninterrupted([&] { return ::write(options.fallback, line, size); });
  if (written == static_cast<ssize_t>(size)) return true;
  // On a full disk the beginning fitted: the next line shall not follow it.
  if (written > 0) cut_off(written);
  return false;
}

// Where somebody else has appended meanwhile it stays.
void LogChannel::cut_off(ssize_t written) const {
  const off_t end = ::lseek(options.fallback, 0, SEEK_CUR);
  struct stat file;
  if (end >= written && ::syscall(SYS_fstat, options.fallback, &file) == 0 &&
      file.st_size == end)
    uninterrupted([&] { return ::ftruncate(options.fallback, end - written); });
}

void LogChannel::count_written(const LogEntry& entry, bool written) {
  if (entry.notice) return;
  if (entry.spilled) {
    spilled_bytes_ -= entry.cost();
  } else {
    --counts_.queued;
    bytes_ -= entry.cost();
  }
  ++(written ? counts_.fallback : counts_.dropped);
}

void LogChannel::count_split(const LogEntry& entry) {
  if (entry.notice) return;
  --counts_.queued;
  bytes_ -= entry.cost();
}

void LogChannel::count_dropped(const LogEntry& entry) {
  if (entry.notice) return;
  --counts_.queued;
  bytes_ -= entry.cost();
  ++counts_.dropped;
}

LogEntry* LogChannel::make_notice(int64_t now) {
  if (!owes_notice()) return nullptr;
  if (counts_.queued > 0 && now - noticed_at_ < kNoticeMilliseconds)
    return nullptr;
  char text[128];
  const uint64_t count = counts_.dropped - noticed_;
  const int size = std::snprintf(
      text, sizeof text,
      "posix-daemonize: %llu message%s dropped: the queue was full",
      static_cast<unsigned long long>(count), count == 1 ? "" : "s");
  LogEntry* entry = make(LOG_WARNING, text, static_cast<size_t>(size));
  if (entry == nullptr) return nullptr;
  entry->notice = true;
  noticed_ = counts_.dropped;
  noticed_at_ = now;
  return entry;
}

void LogChannel::begin_anew() {
  for (LogEntries& list : lists_)
    while (LogEntry* entry = list.pop()) free(entry);
  while (LogEntry* entry = spilled_.pop()) free(entry);
  bytes_ = spilled_bytes_ = 0;
  counts_ = {};
  noticed_ = 0;
  noticed_at_ = 0;
}

}  // namespace posix
