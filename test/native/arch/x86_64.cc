#include "registers.h"

namespace registers {

namespace {

constexpr int kGeneral = 7, kVectors = 16, kWords = 4;  // of 256 bits
constexpr uint64_t kTowardsZero = 0x6000;               // of MXCSR

struct Pattern {
  uint64_t general[kGeneral];
  uint64_t vectors[kVectors][kWords];
  uint64_t seen_general[kGeneral];
  uint64_t seen_vectors[kVectors][kWords];
};

}  // namespace

// clang-format off
#define EACH(DO)                                                           \
  DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) \
  DO(12) DO(13) DO(14) DO(15)
#define LOAD_WIDE(n) "vmovdqu 56+32*" #n "(%[p]), %%ymm" #n "\n"
#define SAVE_WIDE(n) "vmovdqu %%ymm" #n ", 624+32*" #n "(%[p])\n"
#define LOAD_HALF(n) "movdqu 56+32*" #n "(%[p]), %%xmm" #n "\n"
#define SAVE_HALF(n) "movdqu %%xmm" #n ", 624+32*" #n "(%[p])\n"
#define SPIN(LOAD, SAVE)                                                     \
  asm volatile(                                                              \
      "mov 0(%[p]), %%rbx\n mov 8(%[p]), %%r8\n mov 16(%[p]), %%r9\n"          \
      "mov 24(%[p]), %%r12\n mov 32(%[p]), %%r13\n mov 40(%[p]), %%r14\n"      \
      "mov 48(%[p]), %%r15\n" EACH(LOAD)                                      \
      "1: dec %[n]\n jnz 1b\n"                                               \
      "mov %%rbx, 568(%[p])\n mov %%r8, 576(%[p])\n mov %%r9, 584(%[p])\n"     \
      "mov %%r12, 592(%[p])\n mov %%r13, 600(%[p])\n mov %%r14, 608(%[p])\n"   \
      "mov %%r15, 616(%[p])\n" EACH(SAVE)                                     \
      : [n] "+a"(count)                                                      \
      : [p] "D"(&pattern)                                                    \
      : "memory", "cc", "rbx", "r8", "r9", "r12", "r13", "r14", "r15",        \
        "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",       \
        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")
// clang-format on

long spin(uint64_t seed, const uint32_t* stop) {
  static_assert(__builtin_offsetof(Pattern, vectors) == 56, "");
  static_assert(__builtin_offsetof(Pattern, seen_general) == 568, "");
  static_assert(__builtin_offsetof(Pattern, seen_vectors) == 624, "");
  Pattern pattern = {};
  uint64_t value = seed;
  for (uint64_t& each : pattern.general) each = value += seed;
  const bool wide = __builtin_cpu_supports("avx");
  const int words = wide ? kWords : kWords / 2;
  for (auto& vector : pattern.vectors)
    for (int i = 0; i < words; ++i) vector[i] = value += seed;
  while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
    long count = 1000000;
    if (wide)
      SPIN(LOAD_WIDE, SAVE_WIDE);
    else
      SPIN(LOAD_HALF, SAVE_HALF);
    for (int i = 0; i < kGeneral; ++i)
      if (pattern.general[i] != pattern.seen_general[i]) return 1 + i;
    for (int i = 0; i < kVectors; ++i)
      for (int word = 0; word < words; ++word)
        if (pattern.vectors[i][word] != pattern.seen_vectors[i][word])
          return 100 + i;
  }
  return 0;
}

uint64_t floating_point_control() {
  uint32_t mxcsr;
  asm volatile("stmxcsr %0" : "=m"(mxcsr));
  return mxcsr & ~0x3fu;  // less what has happened
}

void set_floating_point_control(uint64_t control) {
  const uint32_t mxcsr = (uint32_t)control;
  asm volatile("ldmxcsr %0" ::"m"(mxcsr));
}

uint64_t other_control() { return 0x1f80 | kTowardsZero; }

}  // namespace registers
