#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "forkall/arch/arch.h"

// A clone()d thread has another stack: it cannot return through C++ code.
// x9 and x10 outlive the system call, in which only x0 changes.
asm(R"(
  .text
  .type forkall_clone, %function
forkall_clone:
  .cfi_startproc
  mov x9, x5
  mov x10, x6
  mov x7, x3
  mov x3, x4
  mov x4, x7
  mov x8, #220
  svc #0
  cbz x0, 1f
  ret
1:
  .cfi_undefined x30
  mov x29, #0
  mov x30, #0
  mov x0, x10
  blr x9
  brk #0
  .cfi_endproc
  .size forkall_clone, .-forkall_clone
)");

extern "C" long forkall_clone(unsigned long flags, void* stack, int* parent_tid,
                              int* child_tid, void* tls, void (*run)(void*),
                              void* argument);

namespace arch {

const uint32_t kRseqSignature = 0xd428bc00;

long syscall(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory", "cc");
  return x0;
}

void* thread_pointer() {
  void* self;
  asm("mrs %0, tpidr_el0" : "=r"(self));
  return self;
}

bool shadow_stack_enabled() {
  constexpr long kGetShadowStackStatus = 74;  // PR_GET_SHADOW_STACK_STATUS
  unsigned long features = 0;
  long result =
      syscall(SYS_prctl, kGetShadowStackStatus, (long)&features, 0, 0, 0, 0);
  return result == 0 && (features & 1);
}

long fork(unsigned long flags, int* tid) {
  return syscall(SYS_clone, (long)flags, 0, 0, 0, (long)tid, 0);
}

long clone_thread(unsigned long flags, void* stack, int* parent_tid,
                  int* child_tid, void* tls, void (*run)(void*),
                  void* argument) {
  return forkall_clone(flags, stack, parent_tid, child_tid, tls, run, argument);
}

void sigreturn(void* ucontext) {
  // struct rt_sigframe { siginfo_t info; ucontext_t uc; }: 128 bytes of info.
  char* frame = (char*)ucontext - sizeof(siginfo_t);
  asm volatile("mov sp, %0; mov x8, #139; svc #0; brk #0" ::"r"(frame)
               : "memory", "x8");
  __builtin_unreachable();
}

uintptr_t interrupted_at(void* ucontext) {
  return ((ucontext_t*)ucontext)->uc_mcontext.pc;
}

Interruption interruption(void* ucontext) {
  constexpr uint32_t kSvc = 0xd4000001;
  auto& machine = ((ucontext_t*)ucontext)->uc_mcontext;
  auto* registers = (uint64_t*)machine.regs;
  const auto* code = (const uint32_t*)machine.pc;
  Interruption result = {};
  result.sp = machine.sp;
  for (int each = 29; each >= 0; --each)
    result.registers[result.count++] = &registers[each];
  result.kept = 21;  // down to x9
  for (int i = 0; i < 4; ++i) result.arguments[i] = registers[i];
  // The result of a call stands where its first argument did.
  if (code[0] != kSvc) result.arguments[0] = 0;
  result.in_call = code[0] == kSvc || code[-1] == kSvc;
  return result;
}

// The kernel uses its own trampoline in the vDSO.
Trampoline restorer() { return nullptr; }

}  // namespace arch
