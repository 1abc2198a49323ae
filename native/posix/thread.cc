#include "thread.h"

#include <signal.h>
#include <uv.h>

namespace posix {

int start_thread(void (*run)(void*), void* argument) noexcept {
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  uv_thread_t thread;
  const int error = ::uv_thread_create(&thread, run, argument);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  return error;
}

}  // namespace posix
