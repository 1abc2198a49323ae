// Standard output and error as pipes to the system log: a thread reads them
// and queues each line. Whoever writes to fd 1 and 2 writes to the log:
// JavaScript, native code, and children that inherit them.
#pragma once

#include <array>
#include <vector>

namespace posix {

class LogChannel;

// {read end, write end}, or {negated errno, 0}. The pipe is as large as it may
// be; both ends have close-on-exec.
std::array<double, 2> open_log_pipe() noexcept;

// Starts the thread, and has it drain the pipes when the process exits or
// aborts. `out` and `err` are the read ends, or -1; they belong to the thread
// from now on, as does the channel. Once in a process.
int serve_log_pipes(int out, int err, LogChannel* channel) noexcept;

// Waits until all whole lines in the pipes are queued; 100 ms at most.
void settle_log_pipes() noexcept;

// Likewise, and what came after the last newline is a line as well.
void end_log_lines() noexcept;

// What closefrom() must leave alone.
void list_log_pipes(std::vector<int>& fds) noexcept;

// Of what is written from now on to the pipe that was made for stdout (1) or
// stderr (2).
void set_log_pipe_priority(int fd, int priority) noexcept;

// Around a fork that keeps all threads: the parent goes on with its pipes, what
// is in them and its thread holds; the child gets pipes of its own, empty ones,
// so that its lines have its pid. What somebody else has put at fd 1 or 2
// stays.
void hold_log_pipes() noexcept;
void release_log_pipes() noexcept;
void renew_log_pipes() noexcept;  // instead, in the child

}  // namespace posix
