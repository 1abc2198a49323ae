// Which pages of a mapping have contents of their own? The rest was never
// written to, and reading it would only make it resident.
#pragma once

#include "forkall/kernel.h"

namespace forkall {

/** Pages that lie side by side. */
struct Run {
  uintptr_t start, end;
};

class Residency {
 public:
  void open();
  void close();

  /**
   * The runs of private, resident pages in [start, end), as many as `runs` can
   * take. `*next` is where to go on; `end` when there is no more.
   * @returns how many runs, or a negated errno
   */
  long find(uintptr_t start, uintptr_t end, Run* runs, uint32_t room,
            uintptr_t* next);

 private:
  long scan(uintptr_t start, uintptr_t end, Run* runs, uint32_t room,
            uintptr_t* next);
  long read(uintptr_t start, bool* resident, uint32_t pages);

  long pagemap_ = -1;
  bool can_scan_ = true;
};

}  // namespace forkall
