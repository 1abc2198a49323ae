#include "mutex_kinds.h"

#include <string.h>

namespace check {

// glibc's adaptive mutexes are the default of nothing, but of some programs.
constexpr int kAdaptive = 3;

const MutexKind kMutexKinds[] = {
    {"normal", PTHREAD_MUTEX_NORMAL, false, false, false},
    {"recursive", PTHREAD_MUTEX_RECURSIVE, false, false, false},
    {"errorcheck", PTHREAD_MUTEX_ERRORCHECK, false, false, false},
    {"adaptive", kAdaptive, false, false, false},
    {"shared", PTHREAD_MUTEX_RECURSIVE, false, false, true},
    {"robust", PTHREAD_MUTEX_NORMAL, true, false, false},
    {"robust recursive", PTHREAD_MUTEX_RECURSIVE, true, false, false},
    {"robust errorcheck", PTHREAD_MUTEX_ERRORCHECK, true, false, false},
    {"robust shared", PTHREAD_MUTEX_ERRORCHECK, true, false, true},
    {"inherit", PTHREAD_MUTEX_NORMAL, false, true, false},
    {"inherit recursive", PTHREAD_MUTEX_RECURSIVE, false, true, false},
    {"inherit errorcheck", PTHREAD_MUTEX_ERRORCHECK, false, true, false},
    {"robust inherit", PTHREAD_MUTEX_RECURSIVE, true, true, false},
};
const int kMutexKindCount = sizeof kMutexKinds / sizeof kMutexKinds[0];

bool make_mutex(pthread_mutex_t* mutex, const MutexKind& kind) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  int error = pthread_mutexattr_settype(&attributes, kind.type);
  if (!error && kind.robust)
    error = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  if (!error && kind.inherit)
    error = pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  if (!error && kind.shared)
    error = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  if (!error) error = pthread_mutex_init(mutex, &attributes);
  pthread_mutexattr_destroy(&attributes);
  return error == 0;
}

void check_owner(pthread_mutex_t* mutex, const MutexKind& kind) {
  if (kind.recursive()) {
    EQUAL(pthread_mutex_lock(mutex), 0);
    EQUAL(pthread_mutex_trylock(mutex), 0);
    EQUAL(pthread_mutex_unlock(mutex), 0);
    EQUAL(pthread_mutex_unlock(mutex), 0);
  } else {
    // glibc's robust ones say so in this call, too.
    const int error = pthread_mutex_trylock(mutex);
    CHECK(error == EBUSY || (kind.error_checking() && error == EDEADLK));
  }
  if (kind.error_checking()) EQUAL(pthread_mutex_lock(mutex), EDEADLK);
}

void check_stranger(pthread_mutex_t* mutex, const MutexKind& kind) {
  EQUAL(pthread_mutex_trylock(mutex), EBUSY);
  if (kind.knows_owner()) EQUAL(pthread_mutex_unlock(mutex), EPERM);
}

}  // namespace check
