// Around a fork that keeps all threads.
#include <fcntl.h>
#include <unistd.h>

#include "descriptors.h"
#include "log_pipe_server.h"
#include "log_pipes.h"

namespace posix {

void LogPipeServer::hold() noexcept { uv_mutex_lock(&reading_); }

void LogPipeServer::release() noexcept { uv_mutex_unlock(&reading_); }

void LogPipeServer::renew() noexcept {
  for (Source& source : sources_)
    if (source.pipe.is_ours()) renew(source);
  renew_waking();
  pid_ = ::getpid();
  release();
  // The thread may wait for the parent's pipes.
  wake();
}

// A wake is for one process. Without descriptors left it may miss one, and who
// asks waits its whole time.
void LogPipeServer::renew_waking() {
  int ends[2];
  if (!woken_.is_ours() || !waking_.is_ours() ||
      ::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return;
  ::dup3(ends[0], woken_.fd, O_CLOEXEC);
  ::dup3(ends[1], waking_.fd, O_CLOEXEC);
  close(ends[0]);
  close(ends[1]);
  woken_.set(woken_.fd);
  waking_.set(waking_.fd);
}

// Without descriptors left the child writes to its parent's pipe.
void LogPipeServer::renew(Source& source) {
  const auto leads_to = [&](int fd) {
    FileIdentity there;
    return identify(fd, there) && there == source.pipe.identity;
  };
  const bool out = leads_to(STDOUT_FILENO);
  const bool err = leads_to(STDERR_FILENO);
  if (!out && !err) return;
  const auto [first, second] = open_log_pipe();
  const int read = static_cast<int>(first), write = static_cast<int>(second);
  if (read < 0) {
    close(source.pipe.fd);
    source.pipe.fd = -1;
    return;
  }
  ::fcntl(read, F_SETFL, O_NONBLOCK);
  // Under its number, which the thread may be about to wait for.
  ::dup3(read, source.pipe.fd, O_CLOEXEC);
  source.pipe.set(source.pipe.fd);
  if (out) dup2(write, STDOUT_FILENO);
  if (err) dup2(write, STDERR_FILENO);
  close(read);
  close(write);
}

}  // namespace posix
