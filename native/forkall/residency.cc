#include "forkall/residency.h"

#include <errno.h>
#include <sys/ioctl.h>

#include "forkall/maps.h"

namespace forkall {

namespace {

constexpr uintptr_t kPage = 4096;
constexpr uint32_t kChunk = 512;  // pages that are looked at in one call

// PAGEMAP_SCAN of <linux/fs.h>, since Linux 6.7: it skips holes, of which the
// stacks of threads mostly consist.
struct Region {
  uint64_t start, end, categories;
};
struct ScanArgument {
  uint64_t size, flags, start, end, walk_end, regions, room, max_pages;
  uint64_t inverted, all_of, any_of, returned;
};
constexpr unsigned long kScan = _IOWR('f', 16, ScanArgument);
constexpr uint64_t kOfFile = 1 << 2, kPresent = 1 << 3, kSwapped = 1 << 4;

// A page that is not there may be a guard page (MADV_GUARD_INSTALL), which no
// kernel tells apart from a swapped one before 6.15, or lie behind the end of
// a file. rt_sigprocmask(2) reads the new mask before it looks at the rest.
bool readable(uintptr_t page) {
  constexpr int kNoSuchChange = -1;
  return sys(SYS_rt_sigprocmask, kNoSuchChange, page, nullptr, 8) != -EFAULT;
}

}  // namespace

void Residency::open() {
  // A process that gave up its user may not read its pagemap.
  pagemap_ = open_own("/proc/self/pagemap");
  can_scan_ = !failed(pagemap_);
}

void Residency::close() {
  if (!failed(pagemap_)) sys(SYS_close, pagemap_);
}

long Residency::find(uintptr_t start, uintptr_t end, Run* runs, uint32_t room,
                     uintptr_t* next) {
  if (can_scan_) {
    const long count = scan(start, end, runs, room, next);
    if (count != -ENOTTY) return count;
    can_scan_ = false;
  }
  bool resident[kChunk];
  const uintptr_t left = (end - start) / kPage;
  uint32_t pages = left < kChunk ? (uint32_t)left : kChunk;
  if (pages > room) pages = room;  // each may be a run of its own
  const long error = read(start, resident, pages);
  if (failed(error)) return error;
  uint32_t count = 0;
  for (uint32_t page = 0; page < pages; ++page) {
    const uintptr_t address = start + page * kPage;
    if (!resident[page]) continue;
    if (page > 0 && resident[page - 1])
      runs[count - 1].end = address + kPage;
    else
      runs[count++] = {address, address + kPage};
  }
  *next = start + pages * kPage;
  return count;
}

long Residency::scan(uintptr_t start, uintptr_t end, Run* runs, uint32_t room,
                     uintptr_t* next) {
  Region regions[kChunk];
  ScanArgument argument = {};
  argument.size = sizeof argument;
  argument.start = start;
  argument.end = end;
  argument.regions = (uint64_t)(uintptr_t)regions;
  argument.room = room < kChunk ? room : kChunk;
  argument.inverted = argument.all_of = kOfFile;
  argument.any_of = kPresent | kSwapped;
  argument.returned = kPresent | kSwapped;
  const long regions_found = sys(SYS_ioctl, pagemap_, kScan, &argument);
  if (failed(regions_found)) return regions_found;
  long count = 0;
  for (long i = 0; i < regions_found; ++i) {
    const Region& region = regions[i];
    const bool here = region.categories & kPresent;
    const uintptr_t step = here ? region.end - region.start : kPage;
    for (uintptr_t at = region.start; at < region.end; at += step) {
      if (!here && !readable(at)) continue;
      if (count == (long)room) {
        *next = at;
        return count;
      }
      runs[count++] = {at, at + step};
    }
  }
  *next = argument.walk_end;
  return count;
}

long Residency::read(uintptr_t start, bool* resident, uint32_t pages) {
  if (failed(pagemap_)) {
    unsigned char core[kChunk];
    const long error = sys(SYS_mincore, start, pages * kPage, core);
    for (uint32_t page = 0; page < pages; ++page)
      resident[page] = core[page] && readable(start + page * kPage);
    return error;
  }
  constexpr uint64_t kHere = 1ull << 63, kAway = 1ull << 62;
  constexpr uint64_t kFilePage = 1ull << 61;
  uint64_t entries[kChunk];
  const size_t size = pages * sizeof entries[0];
  const long length = sys(SYS_pread64, pagemap_, entries, size,
                          start / kPage * sizeof entries[0]);
  if (length != (long)size) return failed(length) ? length : -EIO;
  for (uint32_t page = 0; page < pages; ++page)
    resident[page] =
        !(entries[page] & kFilePage) &&
        ((entries[page] & kHere) ||
         ((entries[page] & kAway) && readable(start + page * kPage)));
  return 0;
}

}  // namespace forkall
