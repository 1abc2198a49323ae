// The system log. As in C, none of these tells whether a message arrived.
#pragma once

#include <string>

namespace posix {

void openlog(const std::string& ident, int options, int facility) noexcept;

// One entry, as it is.
void syslog(int priority, const std::string& line) noexcept;

// An entry for each line, as Lines makes them.
void syslog_lines(int priority, const std::string& message) noexcept;

// The mask before; 0 asks for it and changes nothing.
int setlogmask(int mask) noexcept;
void closelog() noexcept;

}  // namespace posix
