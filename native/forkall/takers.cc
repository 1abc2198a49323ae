#include "forkall/takers.h"

#include <errno.h>

#include "forkall/libc/libc.h"

namespace forkall {

namespace {

// The frames of the functions that take locks and of those that wait for them.
constexpr size_t kFrames = 256;
// Beside the tid, the lock words of futexes have flags in their upper bits.
constexpr uint32_t kTidMask = 0x3fffffff;

const Mapping* find(const List<Mapping>& mappings, uintptr_t address) {
  for (const Mapping& mapping : mappings)
    if (address >= mapping.start && address < mapping.end)
      return mapping.readable ? &mapping : nullptr;
  return nullptr;
}

// How often does the thread have its tid at hand? `*place` is the last.
uint32_t count_tid(const arch::Interruption& at, uint32_t tid,
                   const List<Mapping>& mappings, uint32_t** place) {
  uint32_t count = 0;
  auto look_at = [&](uint32_t* word) {
    if ((*word & kTidMask) != tid) return;
    ++count;
    *place = word;
  };
  for (uint32_t i = 0; i < (at.in_call ? at.kept : at.count); ++i)
    if (*at.registers[i] >> 32 == 0) look_at((uint32_t*)at.registers[i]);
  if (const Mapping* stack = find(mappings, at.sp))
    for (size_t i = 0; i < kFrames && at.sp + i < stack->end; i += 4)
      look_at((uint32_t*)(at.sp + i));
  return count;
}

// A lock that is just being released, or has just been taken.
bool points_to_tid(const arch::Interruption& at, uint32_t tid,
                   const List<Mapping>& mappings) {
  for (uint32_t i = 0; i < at.count; ++i) {
    const uint64_t address = *at.registers[i];
    if (address % 8 == 0 && find(mappings, address) &&
        (*(uint32_t*)address & kTidMask) == tid)
      return true;
  }
  return false;
}

bool waits_for_lock(const arch::Interruption& at,
                    const List<Mapping>& mappings) {
  auto is_lock = [&](uint64_t address) {
    const Mapping* mapping = find(mappings, address);
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
  if (!libc::is_lock_code(arch::interrupted_at(thread.context))) return 0;
  const arch::Interruption at = arch::interruption(thread.context);
  if (at.in_call && !waits_for_lock(at, mappings)) return 0;
  const uint32_t tid = (uint32_t)thread.tid;
  uint32_t* place = nullptr;
  const uint32_t count = count_tid(at, tid, mappings, &place);
  if (points_to_tid(at, tid, mappings)) return -EBUSY;
  if (!at.in_call) return count == 0 ? 0 : -EBUSY;
  // Any second place may be something else that only happens to be equal.
  if (count != 1) return -EBUSY;
  *kept = place;
  return 0;
}

}  // namespace forkall
