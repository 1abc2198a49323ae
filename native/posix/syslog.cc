#include "syslog.h"

#include <syslog.h>

#include <atomic>

#include "lines.h"

namespace posix {

namespace {

// How a log is opened.
struct Opening {
  const char* ident;
  int options;
  int facility;
};

// The C library keeps our pointer, and a syslog() in another thread may be
// reading the former ident: no ident, and so no opening, is ever freed.
std::atomic<const Opening*> opened{nullptr};
std::atomic<const Opening*> opened_by_default{nullptr};
std::atomic<bool> off_stderr{false};

const Opening* keep(const Opening* former, const std::string& ident,
                    int options, int facility) {
  const char* name = former != nullptr && ident == former->ident
                         ? former->ident
                         : (new std::string(ident))->c_str();
  if (former != nullptr && name == former->ident &&
      options == former->options && facility == former->facility)
    return former;
  return new Opening{name, options, facility};
}

void open(const Opening& opening) {
  const int left_out = off_stderr.load() ? LOG_PERROR : 0;
  ::openlog(opening.ident, opening.options & ~left_out, opening.facility);
}

void open_by_default() {
  const Opening* none = nullptr;
  const Opening* usual = opened_by_default.load();
  if (usual != nullptr && opened.compare_exchange_strong(none, usual))
    open(*usual);
}

}  // namespace

void openlog(const std::string& ident, int options, int facility) noexcept {
  static std::atomic<const Opening*> last{nullptr};
  const Opening* opening = keep(last.load(), ident, options, facility);
  last.store(opening);
  opened.store(opening);
  open(*opening);
}

void syslog(int priority, const std::string& line) noexcept {
  open_by_default();
  ::syslog(priority, "%s", line.c_str());
}

void syslog_lines(int priority, const std::string& message) noexcept {
  // An empty one has no line, but is a message.
  if (message.empty()) return syslog(priority, message);
  Lines lines(syslog, priority);
  lines.feed(message.data(), message.size());
  lines.end();
}

int setlogmask(int mask) noexcept { return ::setlogmask(mask); }

void closelog() noexcept {
  ::closelog();
  opened.store(nullptr);
}

void set_default_log(const std::string& ident) noexcept {
  if (ident.empty()) {
    const Opening* usual = opened_by_default.exchange(nullptr);
    if (usual != nullptr && opened.load() == usual) closelog();
    return;
  }
  opened_by_default.store(
      keep(nullptr, ident, LOG_PID | LOG_NDELAY, LOG_DAEMON));
  open_by_default();
}

void keep_log_off_stderr() noexcept {
  off_stderr.store(true);
  const Opening* opening = opened.load();
  if (opening != nullptr && (opening->options & LOG_PERROR)) open(*opening);
}

}  // namespace posix
