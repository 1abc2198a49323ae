#include "forkall/takers.h"

#include <errno.h>
#include <linux/futex.h>

#include "forkall/libc/libc.h"

namespace forkall {

namespace {

// More than the frames of the functions that take locks and that wait.
constexpr size_t kFrames = 256;
// Beside the tid, the lock words of futexes have flags in their upper bits.
constexpr uint32_t kTidMask = 0x3fffffff;

const Mapping* find(const List<Mapping>& mappings, uintptr_t address) {
  for (const Mapping& mapping : mappings)
    if (address >= mapping.start && address < mapping.end) return &mapping;
  return nullptr;
}

const Mapping* find_readable(const List<Mapping>& mappings, uintptr_t address) {
  const Mapping* mapping = find(mappings, address);
  return mapping && mapping->readable ? mapping : nullptr;
}

// Half of an address may look like a tid: those of a program's code begin with
// numbers around 0x5599, those of its libraries with some around 0x7f42. What
// has a small number for its other half is none: two variables, side by side.
bool is_half_of_address(const uint32_t* word, const List<Mapping>& mappings) {
  constexpr uint32_t kSmall = 4096;
  return (uintptr_t)word % 8 == 4 && word[-1] >= kSmall &&
         find(mappings, *(uint64_t*)(word - 1));
}

// Where the library's frames end: at a return address to other code.
uintptr_t end_of_frames(const arch::Interruption& at, const Mapping* code,
                        const List<Mapping>& mappings) {
  const Mapping* stack = find_readable(mappings, at.sp);
  if (!stack) return at.sp;
  uintptr_t place = at.sp;
  for (; place - at.sp < kFrames && place < stack->end; place += 8) {
    const Mapping* target = find(mappings, *(uintptr_t*)place);
    if (target && target->executable && target != code) break;
  }
  return place;
}

// How often does the thread have its tid at hand? `*place` is the last.
uint32_t count_tid(const arch::Interruption& at, uint32_t tid, uintptr_t end,
                   const List<Mapping>& mappings, uint32_t** place) {
  uint32_t count = 0;
  auto look_at = [&](uint32_t* word) {
    if ((*word & kTidMask) != tid || is_half_of_address(word, mappings)) return;
    ++count;
    *place = word;
  };
  for (uint32_t i = 0; i < (at.in_call ? at.kept : at.count); ++i)
    if (*at.registers[i] >> 32 == 0) look_at((uint32_t*)at.registers[i]);
  for (uintptr_t word = at.sp; word < end; word += 4) look_at((uint32_t*)word);
  return count;
}

// A lock that is just being released, or has just been taken.
bool points_to_tid(const arch::Interruption& at, uint32_t tid,
                   const List<Mapping>& mappings) {
  for (uint32_t i = 0; i < at.count; ++i) {
    const uint64_t address = *at.registers[i];
    const Mapping* mapping = find_readable(mappings, address);
    if (address % 4 != 0 || !mapping || mapping->end - address < 8) continue;
    // The address of a mutex in musl is not that of its lock.
    auto* words = (const uint32_t*)address;
    for (auto* word = words; word < words + 2; ++word)
      if ((*word & kTidMask) == tid && !is_half_of_address(word, mappings))
        return true;
  }
  return false;
}

// In these calls it is the kernel that writes the tid into the lock.
bool lets_kernel_lock(const arch::Interruption& at) {
  constexpr uint32_t kLockPi2 = 13;  // FUTEX_LOCK_PI2
  const uint32_t operation = (uint32_t)at.arguments[1] & FUTEX_CMD_MASK;
  return operation == FUTEX_LOCK_PI || operation == kLockPi2 ||
         operation == FUTEX_UNLOCK_PI;
}

bool waits_for_lock(const arch::Interruption& at,
                    const List<Mapping>& mappings) {
  auto is_lock = [&](uint64_t address) {
    const Mapping* mapping = find_readable(mappings, address);
    return mapping && address % 8 == 0 &&
           mapping->end - address >= libc::kLockSize &&
           libc::keeps_tid({(const void*)address, (uint32_t)at.arguments[1],
                            (uint32_t)at.arguments[2], at.arguments[3] != 0});
  };
  if (at.arguments[0]) return is_lock(at.arguments[0]);
  for (uint32_t i = 0; i < at.kept; ++i)
    if (is_lock(*at.registers[i])) return true;
  return false;
}

}  // namespace

long look_at_taker(const Thread& thread, const List<Mapping>& mappings,
                   uint32_t** kept) {
  *kept = nullptr;
  const uintptr_t pc = arch::interrupted_at(thread.context);
  if (!libc::is_lock_code(pc)) return 0;
  const arch::Interruption at = arch::interruption(thread.context);
  const uint32_t tid = (uint32_t)thread.tid;
  if ((!at.in_call || lets_kernel_lock(at)) && points_to_tid(at, tid, mappings))
    return -EBUSY;
  if (at.in_call && !waits_for_lock(at, mappings)) return 0;
  const uintptr_t end = end_of_frames(at, find(mappings, pc), mappings);
  uint32_t* place = nullptr;
  const uint32_t count = count_tid(at, tid, end, mappings, &place);
  if (!at.in_call) return count == 0 ? 0 : -EBUSY;
  // Any second place may be something else that only happens to be equal.
  if (count != 1) return -EBUSY;
  *kept = place;
  return 0;
}

}  // namespace forkall
