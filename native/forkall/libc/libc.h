// What forkall needs to know of a C library. One .cc each for glibc and musl,
// chosen by the build; what is said there is checked at run time.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace libc {

/** The signal that the library keeps for itself and blocks in no thread. */
extern const int kStopSignal;

/**
 * Finds where the library keeps a thread's tid, as an offset from the thread
 * pointer, by looking at the calling thread.
 * @returns false when the layout is not the one this file was written for
 */
bool find_tid_offset(int tid, ptrdiff_t* offset);

/** The calling thread's rseq area, if the library has registered one. */
void* rseq_area();

/**
 * `word` names the thread `tid` in the bits of kOwnerMask: does it stand in a
 * lock which that thread holds? All memory of [low, high) may be read.
 * @returns the bits that name the owner, or 0 if it does not
 */
uint32_t owner_bits(const uint32_t* word, uint32_t tid, uintptr_t low,
                    uintptr_t high);

/**
 * The word of lock number `index` among those that the library lists as held
 * by the thread whose tid stands at `tid_field`; null behind the last one.
 */
uint32_t* listed_lock(int* tid_field, uint32_t index);

/** Does the library take and release locks in this part of its code? */
bool is_lock_code(uintptr_t pc);

/** A thread's call of futex(2): what it said, as far as it is known. */
struct FutexCall {
  const void* word;  // the first kLockSize bytes may be read
  uint32_t operation, value;
  bool limited;  // in time
};
constexpr size_t kLockSize = 64;

/**
 * Does it matter in this call which tid the thread had before? One that waits
 * for a lock may write it into the lock once it gets it.
 */
bool keeps_tid(const FutexCall& call);

/** Masks under which a tid can stand in a word of a lock. */
extern const uint32_t kOwnerMask;

}  // namespace libc
