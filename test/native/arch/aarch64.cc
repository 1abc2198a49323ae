#include "registers.h"

namespace registers {

namespace {

constexpr int kGeneral = 10, kVectors = 32;
constexpr uint64_t kTowardsZero = 3ull << 22;  // of FPCR

struct Pattern {
  uint64_t general[kGeneral];
  uint64_t vectors[kVectors][2];
  uint64_t seen_general[kGeneral];
  uint64_t seen_vectors[kVectors][2];
};

}  // namespace

// clang-format off
#define PAIRS(DO)                                                            \
  DO(0, 1) DO(2, 3) DO(4, 5) DO(6, 7) DO(8, 9) DO(10, 11) DO(12, 13)          \
  DO(14, 15) DO(16, 17) DO(18, 19) DO(20, 21) DO(22, 23) DO(24, 25)           \
  DO(26, 27) DO(28, 29) DO(30, 31)
#define LOAD(a, b) "ldp q" #a ", q" #b ", [x9, #16*" #a "]\n"
#define SAVE(a, b) "stp q" #a ", q" #b ", [x9, #16*" #a "]\n"
// clang-format on

long spin(uint64_t seed, const uint32_t* stop) {
  Pattern pattern = {};
  uint64_t value = seed;
  for (uint64_t& each : pattern.general) each = value += seed;
  for (auto& vector : pattern.vectors)
    for (uint64_t& each : vector) each = value += seed;
  while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
    long count = 1000000;
    asm volatile(
        "ldp x19, x20, [%[g]]\n ldp x21, x22, [%[g], #16]\n"
        "ldp x23, x24, [%[g], #32]\n ldp x25, x26, [%[g], #48]\n"
        "ldp x27, x28, [%[g], #64]\n"
        "mov x9, %[v]\n" PAIRS(LOAD)
        "1: subs %[n], %[n], #1\n b.ne 1b\n"
        "stp x19, x20, [%[sg]]\n stp x21, x22, [%[sg], #16]\n"
        "stp x23, x24, [%[sg], #32]\n stp x25, x26, [%[sg], #48]\n"
        "stp x27, x28, [%[sg], #64]\n"
        "mov x9, %[sv]\n" PAIRS(SAVE)
        : [n] "+r"(count)
        : [g] "r"(pattern.general), [v] "r"(pattern.vectors),
          [sg] "r"(pattern.seen_general), [sv] "r"(pattern.seen_vectors)
        : "memory", "cc", "x9", "x19", "x20", "x21", "x22", "x23", "x24", "x25",
          "x26", "x27", "x28", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7",
          "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15", "v16", "v17",
          "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27",
          "v28", "v29", "v30", "v31");
    for (int i = 0; i < kGeneral; ++i)
      if (pattern.general[i] != pattern.seen_general[i]) return 1 + i;
    for (int i = 0; i < kVectors; ++i)
      for (int word = 0; word < 2; ++word)
        if (pattern.vectors[i][word] != pattern.seen_vectors[i][word])
          return 100 + i;
  }
  return 0;
}

uint64_t floating_point_control() {
  uint64_t fpcr;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  return fpcr;
}

void set_floating_point_control(uint64_t control) {
  asm volatile("msr fpcr, %0" ::"r"(control));
}

uint64_t other_control() { return kTowardsZero; }

}  // namespace registers
