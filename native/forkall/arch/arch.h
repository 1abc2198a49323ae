// What forkall needs to know of a CPU. One .cc per CPU, chosen by the build.
#pragma once

#include <stdint.h>

namespace arch {

/** What rseq(2) was registered with (RSEQ_SIG). */
extern const uint32_t kRseqSignature;

/** A raw system call: its value, or a negated errno. */
long syscall(long number, long a, long b, long c, long d, long e, long f);

/** The register in which the C library keeps the address of the thread. */
void* thread_pointer();

/** Intel's shadow stacks (CET): a revived thread would need a copy of its. */
bool shadow_stack_enabled();

/** fork(2) by clone(2); the child's tid is written and later cleared at `tid`.
 */
long fork(unsigned long flags, int* tid);

/** A thread of this process that runs run(argument) on `stack`. */
long clone_thread(unsigned long flags, void* stack, int* parent_tid,
                  int* child_tid, void* thread_pointer, void (*run)(void*),
                  void* argument);

/** Ends a signal handler's frame, given what the handler got as its context. */
[[noreturn]] void sigreturn(void* ucontext);

/** Where a signal interrupted a thread, given what its handler got. */
uintptr_t interrupted_at(void* ucontext);

/** What an interrupted thread has at hand. */
struct Interruption {
  uintptr_t sp;
  /** The first `kept` of them may keep something across a system call. */
  uint64_t* registers[32];
  uint32_t count, kept;
  /** It is in a system call that starts again, or just behind one. */
  bool in_call;
  /** Of that call; the first is 0 where it is no longer known. */
  uint64_t arguments[4];
};
Interruption interruption(void* ucontext);

/** The trampoline that rt_sigaction(2) wants here; null where it has its own.
 */
using Trampoline = void (*)();
Trampoline restorer();

}  // namespace arch
