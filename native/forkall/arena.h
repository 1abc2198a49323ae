// Memory taken before the first thread stops, for all that is noted until the
// last one is released. Pages that nobody writes to cost nothing.
#pragma once

#include "forkall/kernel.h"

namespace forkall {

class Arena {
 public:
  /** Maps the memory; `shared` memory is seen by forked processes too. */
  long open(size_t size, bool shared);
  void close();

  /** Zeroed room for `count` objects; null when the arena is full. */
  template <typename T>
  T* take(size_t count) {
    size_t at = (used_ + alignof(T) - 1) & ~(alignof(T) - 1);
    size_t size = count * sizeof(T);
    if (size > size_ || at > size_ - size) return nullptr;
    used_ = at + size;
    return (T*)(base_ + at);
  }

  uintptr_t begin() const { return (uintptr_t)base_; }
  uintptr_t end() const { return (uintptr_t)base_ + size_; }

 private:
  char* base_ = nullptr;
  size_t size_ = 0;
  size_t used_ = 0;
};

/** An array of fixed room in an arena. */
template <typename T>
struct List {
  T* items = nullptr;
  uint32_t count = 0;
  uint32_t room = 0;

  bool open(Arena& arena, uint32_t capacity) {
    count = 0;
    room = capacity;
    items = arena.take<T>(capacity);
    return items != nullptr;
  }
  T* add() { return count < room ? &items[count++] : nullptr; }
  T* begin() const { return items; }
  T* end() const { return items + count; }
  T& operator[](uint32_t index) const { return items[index]; }
};

}  // namespace forkall
