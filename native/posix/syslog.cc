#include "syslog.h"

#include <syslog.h>

#include <atomic>

namespace posix {

void openlog(const std::string& ident, int options, int facility) noexcept {
  // The C library keeps our pointer, and a syslog() in another thread may be
  // reading the former ident: no ident is ever freed.
  static std::atomic<const char*> kept{""};
  const char* name = kept.load();
  if (ident != name) {
    name = (new std::string(ident))->c_str();
    kept.store(name);
  }
  ::openlog(name, options, facility);
}

void syslog(int priority, const std::string& message) noexcept {
  ::syslog(priority, "%s", message.c_str());
}

int setlogmask(int mask) noexcept { return ::setlogmask(mask); }

void closelog() noexcept { ::closelog(); }

}  // namespace posix
