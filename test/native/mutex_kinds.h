// Every kind of mutex that the C library has.
#pragma once

#include "check.h"

namespace check {

struct MutexKind {
  const char* name;
  int type;
  bool robust, inherit, shared;

  bool recursive() const { return type == PTHREAD_MUTEX_RECURSIVE; }
  bool error_checking() const { return type == PTHREAD_MUTEX_ERRORCHECK; }
  /** Does unlocking another thread's mutex give EPERM? */
  bool knows_owner() const { return recursive() || error_checking() || robust; }
};

extern const MutexKind kMutexKinds[];
extern const int kMutexKindCount;

/** False where this C library has no such mutex. */
bool make_mutex(pthread_mutex_t* mutex, const MutexKind& kind);

/** The calling thread has locked the mutex once: is it the owner in full? */
void check_owner(pthread_mutex_t* mutex, const MutexKind& kind);

/** Another thread has it locked. */
void check_stranger(pthread_mutex_t* mutex, const MutexKind& kind);

}  // namespace check
