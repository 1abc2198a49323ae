// The scout: a plain fork, gone again at once, that shows which mappings
// fork(2) does not copy (MADV_DONTFORK: V8's heap): those that it lacks.
// /proc/PID/smaps has the flag as well, but reading it walks every page.
#pragma once

#include "forkall/arena.h"
#include "forkall/maps.h"

namespace forkall {

class Scout {
 public:
  /** Takes the memory in which the scout answers. */
  long open();
  void close();

  /** Sends the scout out. All other threads are stopped. */
  long start();

  /** Waits for its answer. */
  long finish();

  /** What a fork copies. */
  const List<Mapping>& mappings() const { return answer_->mappings; }

 private:
  struct Answer {
    uint32_t given;
    long error;
    List<Mapping> mappings;
  };

  bool ended();

  Arena memory_;
  Answer* answer_ = nullptr;
  long pid_ = 0;
};

}  // namespace forkall
