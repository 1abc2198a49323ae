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

}  // namespace

void openlog(const std::string& ident, int options, int facility) noexcept {
  static std::atomic<const Opening*> last{nullptr};
  const Opening* opening = keep(last.load(), ident, options, facility);
  last.store(opening);
  ::openlog(opening->ident, opening->options, opening->facility);
}

void syslog(int priority, const std::string& line) noexcept {
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

void closelog() noexcept { ::closelog(); }

}  // namespace posix
