// musl 1.2, x86-64 and aarch64.
#include <pthread.h>

#include "forkall/kernel.h"
#include "forkall/libc/libc.h"

namespace libc {

namespace {

// struct pthread lies from (x86-64) or up to (aarch64) the thread pointer.
constexpr ptrdiff_t kLow = -256, kHigh = 256;
constexpr uint32_t kMaxCount = 1 << 20;

// pthread_mutex_t.__u.__i: where type, lock, waiters and count stand.
enum { kType = 0, kLock = 1, kWaiters = 2, kCount = 5 };
constexpr int kOwnedTypes = 15;        // recursive, error check, robust, PI
constexpr int kKnownTypes = 15 | 128;  // and process-shared

}  // namespace

const int kStopSignal = 33;  // SIGCANCEL
const uint32_t kOwnerMask = 0x3fffffff;

bool find_tid_offset(int tid, ptrdiff_t* offset) {
  auto pointer = (char*)arch::thread_pointer();
  int hits = 0;
  for (ptrdiff_t at = kLow; at < kHigh; at += (ptrdiff_t)sizeof(int)) {
    if (*(int*)(pointer + at) != tid) continue;
    *offset = at;
    ++hits;
  }
  return hits == 1;
}

// musl does not register restartable sequences.
void* rseq_area() { return nullptr; }

uint32_t owner_bits(const uint32_t* word, uint32_t, uintptr_t low,
                    uintptr_t high) {
  auto* mutex = (const pthread_mutex_t*)(word - kLock);
  if ((uintptr_t)mutex % 8 != 0 || (uintptr_t)mutex < low ||
      (uintptr_t)(mutex + 1) > high)
    return 0;
  const int* field = mutex->__u.__i;
  // A normal mutex has no owner; read-write locks have none here at all.
  if (!(field[kType] & kOwnedTypes) || (field[kType] & ~kKnownTypes)) return 0;
  if ((uint32_t)field[kWaiters] > kMaxCount ||
      (uint32_t)field[kCount] > kMaxCount)
    return 0;
  return kOwnerMask;
}

bool is_lock_code(uintptr_t pc) {
  constexpr uintptr_t kReach = 16 << 10;  // musl's code for mutexes
  return pc - (uintptr_t)pthread_mutex_trylock + kReach < 2 * kReach;
}

// It reads its tid anew each time it tries.
bool keeps_tid(const FutexCall&) { return false; }

}  // namespace libc
