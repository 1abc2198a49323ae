// Preloaded into a program: threads that keep what setuid(2) takes.
//
// STRANGER=1   a thread 'stranger' that the C library does not know
// KEEP_CAPS=1  a thread for which capabilities outlive a setuid(2)
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace {

alignas(16) char stack[64 << 10];
std::atomic<bool> named{false};

int be_strange(void*) {
  prctl(PR_SET_NAME, "stranger");
  named = true;
  for (;;) pause();
}

void start_stranger() {
  clone(be_strange, stack + sizeof stack,
        CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
            CLONE_SYSVSEM,
        nullptr);
  while (!named) sched_yield();
}

void* keep(void*) {
  for (;;) pause();
}

// A thread inherits the flag.
void start_keeper() {
  pthread_t thread;
  prctl(PR_SET_KEEPCAPS, 1);
  pthread_create(&thread, nullptr, keep, nullptr);
  prctl(PR_SET_KEEPCAPS, 0);
}

__attribute__((constructor)) void start() {
  if (getenv("STRANGER")) start_stranger();
  if (getenv("KEEP_CAPS")) start_keeper();
}

}  // namespace
