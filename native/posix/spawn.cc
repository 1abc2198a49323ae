#include "spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "pointers.h"
#include "result.h"

namespace posix {

namespace {

// All that the child needs, made before: it may not allocate. By vfork(2) it
// runs in the parent's memory, on the parent's stack, while the calling thread
// waits; so it can write its error here.
struct Plan {
  const Program& program;
  std::vector<char*> argv;
  std::vector<char*> env;
  std::vector<int> sources;
  pid_t parent;
  volatile int error;
  volatile Act act;
};

// A handler would run in the parent's memory, once signals are let in. What is
// ignored stays so, as by exec; but not what Node ignores from its start.
void reset_signals() {
  for (int signal = 1; signal < NSIG; signal++) {
    struct sigaction action;
    if (::sigaction(signal, nullptr, &action) == -1) continue;
    const bool ignored = action.sa_handler == SIG_IGN;
    if (ignored && signal != SIGPIPE && signal != SIGXFSZ) continue;
    action = {};
    action.sa_handler = SIG_DFL;
    ::sigaction(signal, &action, nullptr);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

int join_group(int group) {
  if (group == 0) return 0;
  return group == 1 ? ::setpgid(0, 0) : ::setsid();
}

// If the parent ended before this, nobody would ever send the signal.
int follow_parent(int signal, pid_t parent) {
  if (signal == 0) return 0;
  if (::prctl(PR_SET_PDEATHSIG, signal) == -1) return -1;
  if (::getppid() == parent) return 0;
  errno = ESRCH;
  return -1;
}

// Node makes pipes and sockets non-blocking, a flag of the open file, and
// `cat` for one does not survive that as its standard input or output.
int make_plain(int fd) {
  const int flags = ::fcntl(fd, F_GETFD);
  if (flags == -1 || ::fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC) == -1) return -1;
  if (fd > STDERR_FILENO) return 0;
  const int status = ::fcntl(fd, F_GETFL);
  if (status == -1 || !(status & O_NONBLOCK)) return status == -1 ? -1 : 0;
  return ::fcntl(fd, F_SETFL, status & ~O_NONBLOCK);
}

int place_descriptors(std::vector<int>& sources) {
  const int count = static_cast<int>(sources.size());
  // First out of the way of the others.
  for (int fd = 0; fd < count; fd++) {
    int& source = sources[fd];
    if (source < 0 || source >= count || source == fd) continue;
    source = ::fcntl(source, F_DUPFD_CLOEXEC, count);
    if (source == -1) return -1;
  }
  for (int fd = 0; fd < count; fd++) {
    const int source = sources[fd];
    if (source < 0) continue;
    if (source != fd && ::dup2(source, fd) == -1) return -1;
    if (make_plain(fd) == -1) return -1;
  }
  return 0;
}

int enter(const std::string& cwd) {
  return cwd.empty() ? 0 : ::chdir(cwd.c_str());
}

[[noreturn]] void become(Plan& plan) {
  const Program& program = plan.program;
  const auto attempt = [&plan](Act act, int done) {
    if (done != -1) return;
    plan.error = errno;
    plan.act = act;
    ::_exit(127);
  };
  attempt(group_act, join_group(program.group));
  attempt(death_act, follow_parent(program.death_signal, plan.parent));
  if (program.umask != -1) ::umask(static_cast<mode_t>(program.umask));
  attempt(chdir_act, enter(program.cwd));
  attempt(fds_act, place_descriptors(plan.sources));
  reset_signals();
  attempt(exec_act,
          ::execvpe(program.file.c_str(), plan.argv.data(), plan.env.data()));
  ::_exit(127);
}

// A frame of its own: the child must not return from where it was made.
__attribute__((noinline)) pid_t start(Plan& plan) {
  const pid_t pid = ::vfork();
  if (pid == 0) become(plan);
  return pid;
}

}  // namespace

std::array<int, 2> spawn(const Program& program) noexcept {
  Plan plan = {program,
               pointers(program.argv),
               pointers(program.env),
               program.fds,
               ::getpid(),
               0,
               fork_act};
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t pid = result(start(plan));
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return {pid, fork_act};
  if (plan.error == 0) return {pid, exec_act};
  uninterrupted([&] { return ::waitpid(pid, nullptr, 0); });
  return {-plan.error, plan.act};
}

}  // namespace posix
