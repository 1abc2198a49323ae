// The thread that reads the pipes of the log and queues what they say, line by
// line, and what others ask of it.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "file_identity.h"
#include "lines.h"
#include "log_channel.h"

namespace posix {

// Never freed once it is started: the thread uses it until the process is gone.
class LogPipeServer {
 public:
  // `out` and `err` are the read ends, or -1.
  LogPipeServer(int out, int err, LogChannel* channel) noexcept;
  ~LogPipeServer();  // of one that could not be started

  // Starts the thread. 0 or a negated errno.
  int start() noexcept;

  // Waits until all whole lines that are in the pipes are queued.
  void settle() noexcept { ask(kOut | kErr, kSettleMilliseconds); }

  // Likewise, and what came after the last newline is a line as well.
  void end_lines() noexcept { ask(kOut | kErr | kEnd, kSettleMilliseconds); }

  // Of stdout (0) or stderr (1), for what is written from now on.
  void set_priority(int source, int priority) noexcept {
    ask(kOut << source, kSettleMilliseconds);
    sources_[source].priority.store(priority);
  }

  // Has the pipes drained when the process exits or aborts. Once in a process;
  // 0 or a negated errno.
  int drain_at_end() noexcept;

  // What closefrom() must leave alone.
  void list_fds(std::vector<int>& fds) const noexcept;

  // Around a fork that keeps all threads.
  void hold() noexcept;
  void release() noexcept;
  void renew() noexcept;  // instead, in the child

 private:
  // A descriptor that somebody else may have closed, and its number be theirs.
  struct Own {
    int fd = -1;
    FileIdentity identity;

    void set(int number) noexcept;
    bool is_ours() const noexcept;
    int number() const noexcept { return is_ours() ? fd : -1; }
  };

  struct Source {
    Source(LogPipeServer& server, int fd, int priority) noexcept;

    LogPipeServer& server;
    Own pipe;  // -1 once it has ended
    std::atomic<int> priority;
    Lines lines;
  };

  // What the thread is asked to do before it says that it is done: to read what
  // is in a pipe, and then to end the lines.
  enum Request { kOut = 1, kErr = 2, kEnd = 4 };

  // How long who changes a priority, or aborts, waits for what was written
  // before.
  static constexpr int64_t kSettleMilliseconds = 100;

  // log_pipe_server.cc
  static void run(void* server);
  static void send_line(void* source, int, const std::string& line) noexcept;
  void serve();
  void begin_anew();
  ssize_t read_some(Source& source);
  void read_what_is_there(Source& source);
  void wake();
  void ask(int request, int64_t milliseconds);

  // log_pipe_server_end.cc
  static void drain();
  static void end_by_abort(int);
  static int catch_abort();

  // log_pipe_server_forks.cc
  static void renew(Source& source);
  void renew_waking();

  LogChannel* const channel_;
  Source sources_[2];
  Own woken_, waking_;  // the ends of a pipe: there is something to look at
  std::atomic<int> request_{0};
  std::atomic<bool> done_{false};  // the request is
  uv_mutex_t reading_;             // held during a read, and across a fork
  pid_t pid_;                      // whose pipes these are
  // As the thread knows it: in the child of a fork it is the parent's until the
  // thread has let go of what it held.
  pid_t serving_pid_ = 0;
};

}  // namespace posix
