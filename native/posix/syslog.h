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

// Opens the log as a daemon's, with the pid, wherever nobody else has opened
// it: now, while /dev/log is in reach, and after each closelog(). An empty
// ident takes that back.
void set_default_log(const std::string& ident) noexcept;

// stderr leads to the log: from now on 'perror' would send each message once
// more, without end, and has no effect.
void keep_log_off_stderr() noexcept;

}  // namespace posix
