// fork, setsid, fork, and the launching process that waits for the daemon.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

using check::sys;
using check::Worker;

namespace {

struct Report {
  int pid, parent, session, group;
};

constexpr uint64_t kLong = 60 * check::kSecond;

int reports[2], errors[2];
Worker worker;

void answer(Worker& self) {
  self.ready();
  self.await();
  self.done();
}

// Starts a process that has threads and detaches; daemon(channel) never
// returns. The daemon's parent is this process.
template <typename Daemon>
pid_t launch(Daemon daemon, uint64_t ready = 0) {
  EQUAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
  EQUAL(pipe(reports), 0);
  EQUAL(pipe(errors), 0);
  const pid_t launcher = fork();
  if (launcher != 0) {
    close(reports[1]);
    close(errors[1]);
    return launcher;
  }
  close(errors[0]);
  dup2(errors[1], STDERR_FILENO);
  close(errors[1]);
  worker.start(answer, nullptr);
  worker.await_ready();
  const forkall::Result result = forkall::detach(check::kDeadline, ready);
  EQUAL(result.error, 0);
  EQUAL(result.pid, 0);
  alarm(30);
  worker.go();
  worker.join();
  check::check_self();
  const Report report = {getpid(), getppid(), getsid(0), getpgid(0)};
  EQUAL(write(reports[1], &report, sizeof report), sizeof report);
  daemon(result.channel);
  check::leave_well();
}

Report read_report() {
  Report report = {};
  EQUAL(forkall::read_all(reports[0], &report, sizeof report), sizeof report);
  return report;
}

// All that the launcher, and nobody after it, writes to its stderr.
void check_errors(const char* expected) {
  char text[512];
  const long length = forkall::read_all(errors[0], text, sizeof text - 1);
  CHECK(length >= 0);
  text[length] = 0;
  CHECK(strcmp(text, expected) == 0);
}

}  // namespace

CASE(detach, "detach() makes a daemon; the launcher leaves as it says") {
  const pid_t launcher = launch([](int channel) {
    // So that the end of the launcher ends its stderr.
    close(STDERR_FILENO);
    EQUAL(write(channel, "\7not so well\n", 13), 13);
    close(channel);
  });
  const Report report = read_report();
  CHECK(report.pid != launcher);
  CHECK(report.session != report.pid);
  CHECK(report.session != getsid(0));
  EQUAL(report.group, report.session);
  const int status = check::exit_status(launcher);
  CHECK(WIFEXITED(status));
  EQUAL(WEXITSTATUS(status), 7);
  check_errors("not so well\n");
  check::await_child(report.pid);
}

CASE(detach_parent, "the daemon's parent is who adopts orphans") {
  const pid_t launcher = launch([](int channel) {
    close(STDERR_FILENO);
    const uint64_t deadline = forkall::now() + check::kDeadline;
    // The process in between may not have ended yet.
    while (getppid() == getsid(0)) {
      CHECK(forkall::now() < deadline);
      sys(SYS_sched_yield);
    }
    Report report = {getpid(), getppid(), 0, 0};
    EQUAL(write(reports[1], &report, sizeof report), sizeof report);
    EQUAL(write(channel, "\0", 1), 1);
  });
  read_report();
  const Report report = read_report();
  EQUAL(report.parent, getpid());
  EQUAL(check::exit_status(launcher), 0);
  check_errors("");
  check::await_child(report.pid);
}

CASE(detach_silent,
     "status 1 and a message, if the daemon ends without a word") {
  const pid_t launcher = launch([](int) {
    close(STDERR_FILENO);
    sys(SYS_kill, getpid(), SIGKILL);
  });
  const Report report = read_report();
  const int status = check::exit_status(launcher);
  CHECK(WIFEXITED(status));
  EQUAL(WEXITSTATUS(status), 1);
  check_errors("posix-daemonize: the daemon ended before it was ready\n");
  EQUAL(check::exit_status(report.pid), SIGKILL);
}

CASE(detach_interrupted,
     "a signal ends a launcher that waits, not the daemon") {
  const pid_t launcher = launch([](int) {
    close(STDERR_FILENO);
    for (;;) pause();
  });
  const Report report = read_report();
  EQUAL(kill(launcher, SIGTERM), 0);
  EQUAL(check::exit_status(launcher), SIGTERM);
  EQUAL(kill(report.pid, 0), 0);
  EQUAL(kill(report.pid, SIGKILL), 0);
  EQUAL(check::exit_status(report.pid), SIGKILL);
}

CASE(detach_status, "a launcher that adopts leaves with the daemon's status") {
  const int ends[] = {0, 7, -SIGKILL, -SIGSEGV};
  for (const int end : ends) {
    static int how;
    how = end;
    const pid_t launcher = launch(
        [](int) {
          close(STDERR_FILENO);
          if (how >= 0) _exit(how);
          signal(-how, SIG_DFL);
          kill(getpid(), -how);
        },
        kLong);
    const Report report = read_report();
    const int status = check::exit_status(launcher);
    CHECK(WIFEXITED(status));
    EQUAL(WEXITSTATUS(status), end < 0 ? 128 - end : end ? end : 1);
    const char* what = end == 0          ? "exited with status 0"
                       : end == 7        ? "exited with status 7"
                       : end == -SIGKILL ? "was killed by SIGKILL"
                                         : "was killed by SIGSEGV";
    char expected[200];
    snprintf(expected, sizeof expected,
             "posix-daemonize: ERR_DAEMON_NOT_READY: the daemon (pid %d) %s "
             "before it was ready\n",
             report.pid, what);
    check_errors(expected);
    // It was the launcher's child until the end, and is not a zombie now.
    EQUAL(kill(report.pid, 0), -1);
  }
}

CASE(detach_late, "a daemon that is not ready in time is ended") {
  const pid_t launcher = launch(
      [](int) {
        close(STDERR_FILENO);
        for (;;) pause();
      },
      check::kSecond / 5);
  const Report report = read_report();
  const int status = check::exit_status(launcher);
  CHECK(WIFEXITED(status));
  EQUAL(WEXITSTATUS(status), 1);
  EQUAL(kill(report.pid, 0), -1);
  char expected[200];
  snprintf(expected, sizeof expected,
           "posix-daemonize: ERR_DAEMON_READY_TIMEOUT: the daemon (pid %d) was "
           "not ready within 200 ms and was ended\n",
           report.pid);
  check_errors(expected);
}

CASE(detach_given_up, "a signal to a launcher that adopts ends both") {
  const pid_t launcher = launch(
      [](int) {
        close(STDERR_FILENO);
        for (;;) pause();
      },
      kLong);
  const Report report = read_report();
  EQUAL(kill(launcher, SIGINT), 0);
  EQUAL(check::exit_status(launcher), SIGINT);
  EQUAL(kill(report.pid, 0), -1);
  check_errors("");
}

CASE(detach_refused,
     "a detach() that fails returns in the launcher, unharmed") {
  check::give_up_root();
  static Worker workers[3];
  for (Worker& each : workers) {
    each.start(answer, nullptr);
    each.await_ready();
  }
  struct rlimit old;
  EQUAL(getrlimit(RLIMIT_NPROC, &old), 0);
  const uint64_t names = check::thread_names();
  const int session = getsid(0);
  for (int more = 0; more < 4; ++more) {
    struct rlimit few = old;
    few.rlim_cur = (rlim_t)(4 + more);
    EQUAL(setrlimit(RLIMIT_NPROC, &few), 0);
    const uint64_t ready = more % 2 ? kLong : 0;
    EQUAL(forkall::detach(check::kDeadline, ready).error, -EAGAIN);
    CHECK(check::thread_names() == names);
    EQUAL(getsid(0), session);
    EQUAL(waitpid(-1, nullptr, __WALL), -1);
    EQUAL(errno, ECHILD);
  }
  EQUAL(setrlimit(RLIMIT_NPROC, &old), 0);
  for (Worker& each : workers) {
    each.go();
    each.join();
  }
}

CASE(detach_forks, "a daemon can fork on") {
  const pid_t launcher = launch([](int channel) {
    close(STDERR_FILENO);
    static Worker another;
    another.start(answer, nullptr);
    check::in_each_generation([] {
      another.go();
      another.join();
    });
    EQUAL(write(channel, "\0", 1), 1);
  });
  const Report report = read_report();
  EQUAL(check::exit_status(launcher), 0);
  check::await_child(report.pid);
}
