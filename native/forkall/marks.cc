#include "forkall/marks.h"

#include <errno.h>
#include <sys/mman.h>

namespace forkall {

long Marks::open(Arena& arena) {
  return ranges_.open(arena, kMaxMappings) ? 0 : -ENOMEM;
}

long Marks::note(uintptr_t start, uintptr_t end, bool anonymous) {
  Range* last = ranges_.count ? ranges_.end() - 1 : nullptr;
  if (last && last->end == start && last->anonymous && anonymous) {
    last->end = end;
    return 0;
  }
  Range* range = ranges_.add();
  if (!range) return -ENOMEM;
  *range = {start, end, anonymous, false};
  return 0;
}

// Both lists ascend; the kernel may have cut or joined neighbours differently.
long Marks::compare(const List<Mapping>& own, const List<Mapping>& copied) {
  const Mapping* other = copied.begin();
  for (const Mapping& mapping : own) {
    if (mapping.ring) continue;
    for (uintptr_t at = mapping.start; at < mapping.end;) {
      while (other != copied.end() && other->end <= at) ++other;
      const bool none = other == copied.end() || other->start >= mapping.end;
      const uintptr_t next = none ? mapping.end : other->start;
      if (next > at) {
        long error = note(at, next, mapping.inode == 0);
        if (failed(error)) return error;
      }
      at = none ? mapping.end : other->end;
    }
  }
  return 0;
}

long Marks::remove() {
  for (Range& range : ranges_) {
    long result =
        sys(SYS_madvise, range.start, range.end - range.start, MADV_DOFORK);
    // EINVAL: a device's memory, which no fork copies.
    if (failed(result) && result != -EINVAL) return result;
    range.removed = !failed(result);
  }
  return 0;
}

void Marks::restore() const {
  for (const Range& range : ranges_)
    if (range.removed)
      sys(SYS_madvise, range.start, range.end - range.start, MADV_DONTFORK);
}

}  // namespace forkall
