#include "forkall/search.h"

#include <errno.h>

#include "forkall/libc/libc.h"
#include "forkall/takers.h"

namespace forkall {

namespace {

// Offsets at which io_uring's parts are mapped (IORING_OFF_*).
constexpr uint64_t kSqRing = 0, kSqes = 0x10000000;
constexpr size_t kSqeSize = 64;

}  // namespace

long Search::open(Arena& arena) {
  constexpr uint32_t kMaxOwners = 65536;
  notes_ = &arena;
  taker_ = nullptr;
  return owners_.open(arena, kMaxOwners) && rings_.open(arena, kMaxRings)
             ? 0
             : -ENOMEM;
}

long Search::run(const Threads& threads, const List<Mapping>& mappings) {
  threads_ = &threads;
  mappings_ = &mappings;
  prepare_filters();
  residency_.open();
  long error = 0;
  for (const Mapping& each : mappings)
    if (!failed(error) && each.writable && !each.shared && !holds_notes(each))
      error = mapping(each);
  residency_.close();
  if (!failed(error)) error = look_at_lists();
  return failed(error) ? error : look_at_takers();
}

// Our own notes hold tids, but no locks.
bool Search::holds_notes(const Mapping& mapping) const {
  return mapping.start == notes_->begin() && mapping.end == notes_->end();
}

void Search::prepare_filters() {
  uint32_t highest = 0;
  lowest_tid_ = ~0u;
  for (const Thread& thread : threads_->all()) {
    if ((uint32_t)thread.tid < lowest_tid_) lowest_tid_ = (uint32_t)thread.tid;
    if ((uint32_t)thread.tid > highest) highest = (uint32_t)thread.tid;
  }
  tid_span_ = highest - lowest_tid_;
  ring_count_ = 0;
  for (const Mapping& mapping : *mappings_)
    if (mapping.ring && mapping.offset == kSqRing && ring_count_ < kMaxRings)
      ring_words_[ring_count_++] = (uint32_t)mapping.start;
}

void Search::rename_owners(const Threads& threads) const {
  for (const Owner& owner : owners_) {
    const uint32_t tid = (uint32_t)threads.all()[owner.thread].new_tid;
    *owner.word = (*owner.word & ~owner.mask) | tid;
  }
}

long Search::add_owner(uint32_t* word, uint32_t mask, const Thread& thread) {
  Owner* owner = owners_.add();
  if (!owner) return -ENOMEM;
  *owner = {word, mask, (uint32_t)(&thread - threads_->all().items)};
  return 0;
}

long Search::look_at_lists() {
  for (const Thread& thread : threads_->all()) {
    const bool stopped =
        thread.state == Thread::kParked || thread.state == Thread::kCaller;
    if (!stopped || thread.ending) continue;
    int* field = threads_->tid_field(thread);
    for (uint32_t i = 0; uint32_t* word = libc::listed_lock(field, i); ++i) {
      if ((*word & libc::kOwnerMask) != (uint32_t)thread.tid) continue;
      const long error = add_owner(word, libc::kOwnerMask, thread);
      if (failed(error)) return error;
    }
  }
  return 0;
}

long Search::look_at_takers() {
  constexpr uint32_t kTidMask = 0x3fffffff;
  for (const Thread& thread : threads_->all()) {
    if (thread.state != Thread::kParked) continue;
    uint32_t* kept;
    long error = look_at_taker(thread, *mappings_, &kept);
    if (!failed(error) && kept) error = add_owner(kept, kTidMask, thread);
    if (failed(error)) {
      taker_ = &thread;
      return error;
    }
  }
  return 0;
}

long Search::mapping(const Mapping& mapping) {
  constexpr uint32_t kRuns = 256;
  Run runs[kRuns];
  for (uintptr_t at = mapping.start; at < mapping.end;) {
    const long count = residency_.find(at, mapping.end, runs, kRuns, &at);
    if (failed(count)) return count;
    for (long i = 0; i < count; ++i) {
      const long error = pages(runs[i].start, runs[i].end, mapping);
      if (failed(error)) return error;
    }
  }
  return 0;
}

// Nearly all words are nothing: blocks without any candidate are passed over
// at the speed of memory, four words at a time on every CPU.
long Search::pages(uintptr_t start, uintptr_t end, const Mapping& mapping) {
  typedef uint32_t Words __attribute__((vector_size(16), may_alias));
  constexpr uint32_t kVectors = 4, kBlock = kVectors * 4;
  const Words mask = Words{} + libc::kOwnerMask;
  const Words lowest = Words{} + lowest_tid_, span = Words{} + tid_span_;
  for (uintptr_t at = start; at < end; at += kVectors * sizeof(Words)) {
    auto* block = (const Words*)at;
    Words any = {};
    for (uint32_t i = 0; i < kVectors; ++i) {
      any |= (Words)((block[i] & mask) - lowest <= span);
      for (uint32_t ring = 0; ring < ring_count_; ++ring)
        any |= (Words)(block[i] == ring_words_[ring]);
    }
    if (!(any[0] | any[1] | any[2] | any[3])) continue;
    for (uint32_t i = 0; i < kBlock; ++i) {
      long error = look_at((uint32_t*)at + i, mapping);
      if (failed(error)) return error;
    }
  }
  return 0;
}

long Search::look_at(uint32_t* word, const Mapping& mapping) {
  if ((*word & libc::kOwnerMask) - lowest_tid_ <= tid_span_) {
    long error = look_for_owner(word, mapping);
    if (failed(error)) return error;
  }
  for (uint32_t ring = 0; ring < ring_count_; ++ring)
    if (*word == ring_words_[ring] && (uintptr_t)word % 8 == 0)
      return look_for_ring((uint64_t*)word, mapping);
  return 0;
}

long Search::look_for_owner(uint32_t* word, const Mapping& mapping) {
  const uint32_t tid = *word & libc::kOwnerMask;
  for (const Thread& thread : threads_->all()) {
    if ((uint32_t)thread.tid != tid) continue;
    const uint32_t bits =
        libc::owner_bits(word, tid, mapping.start, mapping.end);
    return bits ? add_owner(word, bits, thread) : 0;
  }
  return 0;
}

// struct uv__iou: ..., sq, cqe, sqe, sqlen, cqlen, maxlen, sqelen, ringfd and
// in_flight (libuv 1.45 to 1.52).
long Search::look_for_ring(uint64_t* word, const Mapping& mapping) {
  enum { kSq, kCqe, kSqe, kSqSize, kCqSize, kMaxSize, kSqeArray, kFd, kEnd };
  if ((uintptr_t)(word + kEnd) > mapping.end) return 0;
  for (const Mapping& sq : *mappings_) {
    if (!sq.ring || sq.offset != kSqRing || sq.start != word[kSq]) continue;
    for (const Mapping& sqe : *mappings_) {
      if (!sqe.ring || sqe.offset != kSqes || sqe.inode != sq.inode ||
          sqe.start != word[kSqe])
        continue;
      const size_t sq_size = sq.end - sq.start, sqe_size = sqe.end - sqe.start;
      if (word[kSqSize] > sq_size || word[kCqSize] > sq_size ||
          word[kMaxSize] > sq_size || word[kSqeArray] > sqe_size ||
          word[kSqeArray] % kSqeSize != 0)
        continue;
      RingRecord* record = rings_.add();
      if (!record) return -ENOMEM;
      auto* fd = (int*)(word + kFd);
      *record = {fd,      (uint32_t*)(fd + 1), sq.start, sqe.start, sq_size,
                 sqe_size};
    }
  }
  return 0;
}

}  // namespace forkall
