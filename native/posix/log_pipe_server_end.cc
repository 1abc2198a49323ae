// At the end of the process: what was written last is in the log too.
#include <signal.h>
#include <time.h>

#include <cstdlib>

#include "log_pipe_server.h"
#include "result.h"

namespace posix {

namespace {

// How long an exit waits for the last lines: a log daemon that does not read
// must not keep the process from ending.
constexpr int64_t kDrainMilliseconds = 1000;

// How long an abort waits for the queue to be sent, after the pipes are read.
constexpr long kAbortNanoseconds = 50000000;

LogPipeServer* ending = nullptr;

}  // namespace

int LogPipeServer::drain_at_end() noexcept {
  ending = this;
  return ::atexit(drain) == 0 ? catch_abort() : -ENOMEM;
}

// At exit(3), after all of JavaScript, and after Node has printed an error that
// nobody caught. The queue is drained after this.
void LogPipeServer::drain() {
  ending->ask(kOut | kErr | kEnd, kDrainMilliseconds);
}

// V8 aborts right after it has printed why, such as that no memory is left.
// Only what signal-safety(7) allows: this may have interrupted anything. Where
// the thread is stuck in a lock that is held here, both waits have an end.
void LogPipeServer::end_by_abort(int) {
  ending->end_lines();
  const struct timespec moment = {0, kAbortNanoseconds};
  ::nanosleep(&moment, nullptr);
  ::raise(SIGABRT);
}

// A handler of the program's own is left alone.
int LogPipeServer::catch_abort() {
  struct sigaction action;
  if (::sigaction(SIGABRT, nullptr, &action) == -1) return -errno;
  if ((action.sa_flags & SA_SIGINFO) || action.sa_handler != SIG_DFL) return 0;
  action.sa_handler = end_by_abort;
  // The default action is back by then, so that the end and its core are those
  // of the abort.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_ONSTACK);
  ::sigemptyset(&action.sa_mask);
  return result(::sigaction(SIGABRT, &action, nullptr));
}

}  // namespace posix
