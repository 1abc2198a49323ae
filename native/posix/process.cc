#include "process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "pointers.h"
#include "result.h"

namespace posix {

namespace {

// What a program expects of its standard descriptors: exec leaves them open,
// and they block. Node makes pipes and sockets among them non-blocking, a flag
// of the open file, and `cat` for one does not survive that.
class PlainStdio {
 public:
  PlainStdio() {
    for (int fd = 0; fd <= 2; fd++) {
      // Both are -1 where there is no such descriptor.
      flags_[fd] = ::fcntl(fd, F_GETFD);
      status_[fd] = ::fcntl(fd, F_GETFL);
      set(fd, flags_[fd] & ~FD_CLOEXEC, status_[fd] & ~O_NONBLOCK);
    }
  }

  void undo() {
    for (int fd = 0; fd <= 2; fd++) set(fd, flags_[fd], status_[fd]);
  }

 private:
  void set(int fd, int flags, int status) {
    if (flags_[fd] == -1) return;
    ::fcntl(fd, F_SETFD, flags);
    ::fcntl(fd, F_SETFL, status);
  }

  int flags_[3];
  int status_[3];
};

void do_nothing(int) {}

// What a program expects of signals: none blocked, and none ignored but those
// that the user chose to.
class FreshSignals {
 public:
  FreshSignals() {
    for (Ignored& ignored : ignored_) {
      if (::sigaction(ignored.signal, nullptr, &ignored.action) == -1 ||
          ignored.action.sa_handler != SIG_IGN)
        continue;
      // exec makes the default of a handler. Had we set the default, another
      // thread that writes to a closed pipe meanwhile would end the process.
      struct sigaction caught = {};
      caught.sa_handler = do_nothing;
      caught.sa_flags = SA_RESTART;
      ::sigaction(ignored.signal, &caught, nullptr);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, &mask_);
  }

  void undo() {
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
    for (const Ignored& ignored : ignored_)
      ::sigaction(ignored.signal, &ignored.action, nullptr);
  }

 private:
  struct Ignored {
    int signal;
    struct sigaction action;
  };

  // Those that Node ignores from its start.
  Ignored ignored_[2] = {{SIGPIPE, {}}, {SIGXFSZ, {}}};
  sigset_t mask_;
};

}  // namespace

unsigned umask(unsigned mask) noexcept { return ::umask(mask); }

int chroot(const std::string& path) noexcept {
  return result(::chroot(path.c_str()));
}

std::array<int, 2> waitpid(int pid, int options) noexcept {
  int status = 0;
  const int waited =
      uninterrupted([&] { return ::waitpid(pid, &status, options); });
  return {waited, status};
}

int execvp(const std::string& file, const std::vector<std::string>& argv,
           const std::vector<std::string>& env) noexcept {
  const std::vector<char*> arguments = pointers(argv);
  const std::vector<char*> environment = pointers(env);
  PlainStdio stdio;
  FreshSignals signals;
  const int error =
      result(::execvpe(file.c_str(), arguments.data(), environment.data()));
  signals.undo();
  stdio.undo();
  return error;
}

int set_subreaper(int on) noexcept {
  return result(::prctl(PR_SET_CHILD_SUBREAPER, on, 0, 0, 0));
}

void _exit(int status) noexcept { ::_exit(status); }

}  // namespace posix
