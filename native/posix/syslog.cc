#include "syslog.h"

#include <syslog.h>

#include <atomic>

#include "lines.h"

namespace posix {

namespace {

struct Ident {
  const std::string name;
  const Ident* next;
};

std::atomic<const Ident*> idents{nullptr};

// The C library keeps our pointer, and a syslog() in another thread may be
// reading the former ident: none is ever freed, and each is kept once.
const char* keep(const std::string& name) {
  const Ident* first = idents.load();
  for (const Ident* ident = first; ident; ident = ident->next)
    if (ident->name == name) return ident->name.c_str();
  const auto* made = new Ident{name, first};
  // Another thread came first: not to be found again costs a few bytes.
  idents.compare_exchange_strong(first, made);
  return made->name.c_str();
}

}  // namespace

void openlog(const std::string& ident, int options, int facility) noexcept {
  ::openlog(keep(ident), options, facility);
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
