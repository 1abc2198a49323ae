// MADV_DONTFORK: what V8 keeps out of every child is copied into ours.
#pragma once

#include "forkall/arena.h"
#include "forkall/maps.h"

namespace forkall {

class Marks {
 public:
  long open(Arena& arena);

  /** Notes what is mapped in `own` and missing in `copied`. */
  long compare(const List<Mapping>& own, const List<Mapping>& copied);

  /** Takes the marks away: the next fork copies everything. */
  long remove();

  /** Gives them back, or every later child pays for the whole heap. */
  void restore() const;

 private:
  struct Range {
    uintptr_t start, end;
    bool anonymous;  // may be treated together with its neighbours
    bool removed;
  };
  long note(uintptr_t start, uintptr_t end, bool anonymous);

  List<Range> ranges_;
};

}  // namespace forkall
