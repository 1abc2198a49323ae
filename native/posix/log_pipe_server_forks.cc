// Around a fork that keeps all threads.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "descriptors.h"
#include "log_pipe_server.h"
#include "log_pipes.h"

namespace posix {

namespace {

bool same_pipe(int fd, int other) {
  struct stat a, b;
  // glibc has a function for this only since 2.33.
  return ::syscall(SYS_fstat, fd, &a) == 0 &&
         ::syscall(SYS_fstat, other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

}  // namespace

void LogPipeServer::hold() noexcept { uv_mutex_lock(&reading_); }

void LogPipeServer::release() noexcept { uv_mutex_unlock(&reading_); }

void LogPipeServer::renew() noexcept {
  for (Source& source : sources_)
    if (source.fd >= 0) renew(source);
  pid_ = ::getpid();
  release();
  // The thread may wait for the parent's pipes.
  wake();
}

// Without descriptors left the child writes to its parent's pipe.
void LogPipeServer::renew(Source& source) {
  const bool out = same_pipe(source.fd, STDOUT_FILENO);
  const bool err = same_pipe(source.fd, STDERR_FILENO);
  if (!out && !err) return;
  const auto [first, second] = open_log_pipe();
  const int read = static_cast<int>(first), write = static_cast<int>(second);
  if (read < 0) {
    close(source.fd);
    source.fd = -1;
    return;
  }
  ::fcntl(read, F_SETFL, O_NONBLOCK);
  // Under its number, which the thread may be about to wait for.
  ::dup3(read, source.fd, O_CLOEXEC);
  if (out) dup2(write, STDOUT_FILENO);
  if (err) dup2(write, STDERR_FILENO);
  close(read);
  close(write);
}

}  // namespace posix
