// Preloaded into a program: what can go wrong beneath it.
//
// DEAF_UNTIL=FIFO  a thread 'deaf' blocks every signal until somebody opens
//                  the FIFO for writing; then it is called 'hears again'
// CHDIR_HOLD=FIFO  chdir(2) waits until a byte is written to the FIFO, or until
//                  the test that holds the other end of DEADMAN_FD is gone
// CHDIR_KILL=1     chdir(2) ends the process by SIGKILL
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdlib>

namespace {

void wait_for_writer(const char* fifo) {
  close(open(fifo, O_RDONLY | O_CLOEXEC));
}

void wait_for_byte(const char* fifo) {
  const int fd = open(fifo, O_RDONLY | O_CLOEXEC);
  struct pollfd ends[] = {{fd, POLLIN, 0},
                          {atoi(getenv("DEADMAN_FD")), POLLIN, 0}};
  poll(ends, 2, -1);
  if (!(ends[0].revents & POLLIN)) _exit(1);
  close(fd);
}

// By the system call itself: the C library leaves its own signals open.
void set_signal_mask(uint64_t mask) {
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
}

void* be_deaf(void* fifo) {
  prctl(PR_SET_NAME, "deaf");
  set_signal_mask(~uint64_t{0});
  wait_for_writer(static_cast<const char*>(fifo));
  set_signal_mask(0);
  prctl(PR_SET_NAME, "hears again");
  for (;;) pause();
}

__attribute__((constructor)) void start() {
  pthread_t thread;
  char* fifo = getenv("DEAF_UNTIL");
  if (fifo) pthread_create(&thread, nullptr, be_deaf, fifo);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int chdir(
    const char* path) noexcept {
  if (const char* fifo = getenv("CHDIR_HOLD")) wait_for_byte(fifo);
  if (getenv("CHDIR_KILL")) raise(SIGKILL);
  return static_cast<int>(syscall(SYS_chdir, path));
}
