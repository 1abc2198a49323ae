// Words that several threads read and write.
#pragma once

#include <stdint.h>

namespace forkall {

template <typename T>
T load(const T& word) {
  return __atomic_load_n(&word, __ATOMIC_ACQUIRE);
}

template <typename T, typename V>
void store(T& word, V value) {
  __atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

/** Adds one; returns the sum. */
inline uint32_t increment(uint32_t& word) {
  return __atomic_add_fetch(&word, 1, __ATOMIC_ACQ_REL);
}

/** Sets `word` to `to` if it is `from`. */
template <typename T>
bool change(T& word, T from, T to) {
  return __atomic_compare_exchange_n(&word, &from, to, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE);
}

}  // namespace forkall
