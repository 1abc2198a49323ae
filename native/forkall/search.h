// What a fork must find in memory: locks that name their owner by its tid, and
// libuv's rings. All threads are stopped, so what is there stays there.
#pragma once

#include "forkall/arena.h"
#include "forkall/maps.h"
#include "forkall/residency.h"
#include "forkall/threads.h"

namespace forkall {

/** A word of a lock that names thread number `thread` of Threads::all(). */
struct Owner {
  uint32_t* word;
  uint32_t mask;
  uint32_t thread;
};

/** libuv's bookkeeping of one io_uring: the ring's descriptor in it. */
struct RingRecord {
  int* fd;
  uint32_t* in_flight;
  uintptr_t sq, sqe;
  size_t sq_size, sqe_size;
};

class Search {
 public:
  /** Takes the memory for what will be found. */
  long open(Arena& arena);

  /** Searches all that is resident of `mappings`; 0 or a negated errno. */
  long run(const Threads& threads, const List<Mapping>& mappings);

  /** The locks' new owners, in the child, before any thread runs. */
  void rename_owners(const Threads& threads) const;

  const List<RingRecord>& rings() const { return rings_; }

  /** The thread that is about to take a lock: why run() gave EBUSY. */
  const Thread* taker() const { return taker_; }

 private:
  static constexpr uint32_t kMaxRings = 64;

  void prepare_filters();
  bool holds_notes(const Mapping& mapping) const;
  long mapping(const Mapping& mapping);
  long pages(uintptr_t start, uintptr_t end, const Mapping& mapping);
  long look_at(uint32_t* word, const Mapping& mapping);
  long look_for_owner(uint32_t* word, const Mapping& mapping);
  long look_for_ring(uint64_t* word, const Mapping& mapping);
  long look_at_lists();
  long look_at_takers();
  long add_owner(uint32_t* word, uint32_t mask, const Thread& thread);

  const Threads* threads_ = nullptr;
  const List<Mapping>* mappings_ = nullptr;
  List<Owner> owners_;
  List<RingRecord> rings_;
  const Arena* notes_ = nullptr;
  const Thread* taker_ = nullptr;
  Residency residency_;
  uint32_t lowest_tid_ = 0, tid_span_ = 0;
  uint32_t ring_count_ = 0;
  uint32_t ring_words_[kMaxRings] = {};  // low halves of the rings' addresses
};

}  // namespace forkall
