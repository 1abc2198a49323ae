// glibc 2.28 to 2.4x, x86-64 and aarch64.
#include <linux/futex.h>
#include <linux/prctl.h>
#include <pthread.h>
#include <string.h>

#include "forkall/kernel.h"
#include "forkall/libc/libc.h"

extern "C" {
// Since glibc 2.35; the version need is weak, so older ones load us as well.
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned int __rseq_size __attribute__((weak));
}

namespace libc {

namespace {

constexpr uintptr_t kPthreadSize = 4096;  // more than sizeof(struct pthread)
constexpr uint32_t kMaxCount = 1 << 20;   // of users, readers, recursions

// pthread_mutex_t.__kind: type, robust, inherit, protect, pshared, elision.
constexpr uint32_t kTypeMask = 3, kRecursive = 1;
constexpr uint32_t kErrorCheck = 2, kAdaptive = 3;
constexpr uint32_t kRobust = 0x10, kInherit = 0x20, kProtect = 0x40;
constexpr uint32_t kKnownKinds = 0x3f3;
constexpr uint32_t kCeilingShift = 19;  // of __lock under kProtect

bool inside(const void* at, size_t size, uintptr_t low, uintptr_t high) {
  return (uintptr_t)at >= low && (uintptr_t)at + size <= high;
}

// Does `lock`, the word that is waited on, say what the owner says?
bool locked_by(uint32_t lock, uint32_t kind, uint32_t tid) {
  if (kind & (kRobust | kInherit)) return (lock & FUTEX_TID_MASK) == tid;
  if (kind & kProtect) lock &= (1u << kCeilingShift) - 1;
  return lock == 1 || lock == 2;
}

// The owner of a robust mutex whose last one died, until it is consistent.
constexpr int kInconsistent = 0x7fffffff;

// Is this a mutex that `tid` holds, and one that minds whose it is? Tids are
// small numbers in a container: every field must fit.
bool held_mutex(const pthread_mutex_t* mutex, uint32_t tid) {
  const auto& data = mutex->__data;
  const uint32_t kind = (uint32_t)data.__kind, type = kind & kTypeMask;
  const bool recursive = type == kRecursive;
  const bool in_lock = kind & (kRobust | kInherit);
  if (kind & ~kKnownKinds) return false;
  if (!recursive && type != kErrorCheck &&
      !(kind & (kRobust | kInherit | kProtect)))
    return false;
  if (!locked_by((uint32_t)data.__lock, kind, tid)) return false;
  if (data.__nusers == 0 || data.__nusers > kMaxCount) return false;
  // Those with the owner in the lock count even what is not recursive.
  const bool counts = recursive || in_lock || (kind & kProtect);
  if (data.__count > (recursive ? kMaxCount : 1u)) return false;
  if ((data.__count != 0) != counts) return false;
  int spins;  // two fields on x86-64
  memcpy(&spins, &data.__spins, sizeof spins);
  if (spins != 0 && type != kAdaptive) return false;
  const auto next = (uintptr_t)data.__list.__next;
  const auto previous = (uintptr_t)data.__list.__prev;
  // Only robust and inheriting mutexes stand in a list.
  if ((next == 0) != (previous == 0)) return false;
  if (!in_lock && next) return false;
  return data.__owner == (int)tid ||
         ((kind & kRobust) && data.__owner == kInconsistent);
}

uint32_t mutex_bits(const uint32_t* word, uint32_t tid, uintptr_t low,
                    uintptr_t high) {
  constexpr size_t kOwner = offsetof(pthread_mutex_t, __data.__owner);
  auto* by_owner = (const pthread_mutex_t*)((const char*)word - kOwner);
  if (*word == tid && inside(by_owner, sizeof *by_owner, low, high) &&
      held_mutex(by_owner, tid))
    return ~0u;
  auto* by_lock = (const pthread_mutex_t*)word;
  return inside(by_lock, sizeof *by_lock, low, high) &&
                 (by_lock->__data.__kind & (int)(kRobust | kInherit)) &&
                 held_mutex(by_lock, tid)
             ? FUTEX_TID_MASK
             : 0;
}

uint32_t rwlock_bits(const uint32_t* word, uint32_t tid, uintptr_t low,
                     uintptr_t high) {
  constexpr size_t kWriter = offsetof(pthread_rwlock_t, __data.__cur_writer);
  constexpr size_t kPadding = offsetof(pthread_rwlock_t, __data.__shared) + 4;
  constexpr size_t kFlags = offsetof(pthread_rwlock_t, __data.__flags);
  auto* lock = (const pthread_rwlock_t*)((const char*)word - kWriter);
  if (*word != tid || !inside(lock, sizeof *lock, low, high)) return 0;
  const auto& data = lock->__data;
  constexpr uint32_t kWriteHeld = 3, kReaderShift = 3;
  constexpr uint32_t kTaken = 1, kWaitedFor = 2, kHandover = 0x80000000;
  if ((data.__readers & kWriteHeld) != kWriteHeld) return 0;
  if (data.__readers >> kReaderShift > kMaxCount) return 0;
  if ((data.__writers & ~kHandover) > kMaxCount) return 0;
  if ((data.__wrphase_futex & ~kWaitedFor) != kTaken) return 0;
  if ((data.__writers_futex & ~kWaitedFor) != kTaken) return 0;
  if (data.__pad3 || data.__pad4) return 0;
  for (size_t i = kPadding; i < kFlags; ++i)
    if (((const char*)lock)[i]) return 0;
  return (uint32_t)data.__shared > 1 || data.__flags > 2 ? 0 : ~0u;
}

}  // namespace

// SIGSETXID, which even the thread behind timer_create(2) leaves open; that one
// ends when it gets SIGCANCEL.
const int kStopSignal = 33;
const uint32_t kOwnerMask = FUTEX_TID_MASK;

bool find_tid_offset(int tid, ptrdiff_t* offset) {
  auto pointer = (uintptr_t)arch::thread_pointer();
  // The kernel clears the very word that glibc keeps the tid in.
  int* address = nullptr;
  if (forkall::sys(SYS_prctl, PR_GET_TID_ADDRESS, &address) != 0) return false;
  const ptrdiff_t distance = (ptrdiff_t)((uintptr_t)address - pointer);
  if (distance < -(ptrdiff_t)kPthreadSize || distance > (ptrdiff_t)kPthreadSize)
    return false;
  if (*address != tid) return false;
  *offset = distance;
  return true;
}

void* rseq_area() {
  constexpr size_t kCpuId = 4;  // struct rseq: cpu_id_start, cpu_id, rseq_cs
  if (!&__rseq_size || __rseq_size == 0) return nullptr;
  char* area = (char*)arch::thread_pointer() + __rseq_offset;
  // Negative until registered: a thread that is only just being born.
  return *(int*)(area + kCpuId) < 0 ? nullptr : area;
}

uint32_t owner_bits(const uint32_t* word, uint32_t tid, uintptr_t low,
                    uintptr_t high) {
  if ((uintptr_t)word % 8 != 0) return 0;
  const uint32_t bits = mutex_bits(word, tid, low, high);
  return bits ? bits : rwlock_bits(word, tid, low, high);
}

// It lists robust mutexes only; all are found by their looks.
uint32_t* listed_lock(int*, uint32_t) { return nullptr; }

bool is_lock_code(uintptr_t pc) {
  constexpr uintptr_t kReach = 64 << 10;  // glibc's code for threads
  // Of its functions, one that is not a debugging library's own instead.
  return pc - (uintptr_t)pthread_mutex_destroy + kReach < 2 * kReach;
}

bool keeps_tid(const FutexCall& call) {
  constexpr uint32_t kContended = 2;  // what waiters find in other locks
  constexpr uint32_t kLockPi2 = 13;   // FUTEX_LOCK_PI2
  const auto& data = ((const pthread_mutex_t*)call.word)->__data;
  const uint32_t kind = (uint32_t)data.__kind, type = kind & kTypeMask;
  const uint32_t operation = call.operation & FUTEX_CMD_MASK;
  if ((kind & ~kKnownKinds) || (uint32_t)data.__nusers > kMaxCount)
    return false;
  if (operation == FUTEX_LOCK_PI || operation == kLockPi2)
    return kind & kInherit;
  if (operation != FUTEX_WAIT && operation != FUTEX_WAIT_BITSET) return false;
  if (kind & kRobust) return call.value & FUTEX_WAITERS;
  // Not what a rwlock's readers wait for: there `kind` is the writer's tid.
  if (kind & kProtect)
    return (call.value & ((1u << kCeilingShift) - 1)) == kContended;
  return call.limited && call.value == kContended &&
         (type == kRecursive || type == kErrorCheck);
}

}  // namespace libc
