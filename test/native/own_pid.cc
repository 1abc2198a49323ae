// The pid that is known without a system call.
#include "posix/own_pid.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

using check::sys;

CASE(own_pid, "own_pid() is each process's own, after other forks too") {
  EQUAL(posix::own_pid(), sys(SYS_getpid));
  check::in_each_generation([] {
    EQUAL(posix::own_pid(), sys(SYS_getpid));
    // As an addon may, past the C library and this package.
    const long child = sys(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (child == 0) _exit(posix::own_pid() == sys(SYS_getpid) ? 0 : 1);
    EQUAL(check::exit_status(child), 0);
    EQUAL(posix::own_pid(), sys(SYS_getpid));
  });
}
