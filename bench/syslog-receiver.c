// A log daemon that only reads and counts.
//
// usage: syslog-receiver COMMAND [ARGUMENT...]
//
// Binds /dev/log, which should be a private one, and runs the command. When
// that has ended and all is read, it prints a line of JSON: how many messages
// came, how many of them were another copy or out of order, and when the last
// came (ms of CLOCK_MONOTONIC). Messages carry their number as `#17 `, from 0.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kMost = 1 << 22, kMessage = 1 << 16 };

static unsigned char seen[kMost];
static long received, doubled, disordered, highest = -1;
static double last;

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void count(char* message, ssize_t length) {
  message[length] = 0;
  const char* mark = strchr(message, '#');
  const long number = mark ? atol(mark + 1) : -1;
  if (number < 0 || number >= kMost) return;
  if (seen[number]) {
    doubled++;
    return;
  }
  seen[number] = 1;
  received++;
  if (number < highest) disordered++;
  if (number > highest) highest = number;
}

// Returns when nothing is left to read.
static void drain(int log) {
  static char message[kMessage + 1];
  ssize_t length;
  while ((length = recv(log, message, kMessage, MSG_DONTWAIT)) >= 0)
    count(message, length);
  if (errno != EAGAIN) exit(1);
  last = now();
}

static void ignore(int signal) { (void)signal; }

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const struct sockaddr_un address = {AF_UNIX, "/dev/log"};
  const int log = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (bind(log, (const struct sockaddr*)&address, sizeof address) != 0) {
    perror("bind /dev/log");
    return 1;
  }

  // The end of the command interrupts the wait, and nothing else.
  sigset_t child, none;
  sigemptyset(&none);
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  signal(SIGCHLD, ignore);
  const pid_t pid = fork();
  if (pid < 0) return 1;
  if (pid == 0) {
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[1], argv + 1);
    _exit(127);
  }

  int status = 0;
  struct pollfd readable = {log, POLLIN, 0};
  do {
    if (ppoll(&readable, 1, NULL, &none) > 0) drain(log);
  } while (waitpid(pid, &status, WNOHANG) == 0);
  const double before = last;
  const long known = received + doubled;
  drain(log);
  if (received + doubled == known) last = before;

  printf(
      "{\"received\":%ld,\"doubled\":%ld,\"disordered\":%ld,\"last\":%.3f}\n",
      received, doubled, disordered, last);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
