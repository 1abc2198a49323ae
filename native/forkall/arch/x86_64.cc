#include <asm/prctl.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "forkall/arch/arch.h"

// A clone()d thread has another stack: it cannot return through C++ code.
// The kernel keeps all registers but rax, rcx and r11.
asm(R"(
  .text
  .type forkall_clone, @function
forkall_clone:
  .cfi_startproc
  push %r12
  .cfi_adjust_cfa_offset 8
  .cfi_offset %r12, -16
  mov 16(%rsp), %r12
  mov %rcx, %r10
  mov $56, %eax
  syscall
  test %rax, %rax
  jz 1f
  pop %r12
  .cfi_adjust_cfa_offset -8
  .cfi_restore %r12
  ret
1:
  .cfi_undefined %rip
  xor %ebp, %ebp
  mov %r12, %rdi
  and $-16, %rsp
  call *%r9
  ud2
  .cfi_endproc
  .size forkall_clone, .-forkall_clone

  .type forkall_restorer, @function
forkall_restorer:
  mov $15, %eax
  syscall
  ud2
  .size forkall_restorer, .-forkall_restorer
)");

extern "C" long forkall_clone(unsigned long flags, void* stack, int* parent_tid,
                              int* child_tid, void* tls, void (*run)(void*),
                              void* argument);
extern "C" void forkall_restorer();

namespace arch {

const uint32_t kRseqSignature = 0x53053053;

long syscall(long number, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

void* thread_pointer() {
  void* self;
  asm("mov %%fs:0, %0" : "=r"(self));
  return self;
}

bool shadow_stack_enabled() {
  constexpr long kShadowStackStatus = 0x5005;  // ARCH_SHSTK_STATUS
  unsigned long features = 0;
  long result =
      syscall(SYS_arch_prctl, kShadowStackStatus, (long)&features, 0, 0, 0, 0);
  return result == 0 && (features & 1);
}

long fork(unsigned long flags, int* tid) {
  return syscall(SYS_clone, (long)flags, 0, 0, (long)tid, 0, 0);
}

long clone_thread(unsigned long flags, void* stack, int* parent_tid,
                  int* child_tid, void* tls, void (*run)(void*),
                  void* argument) {
  return forkall_clone(flags, stack, parent_tid, child_tid, tls, run, argument);
}

void sigreturn(void* ucontext) {
  // The frame starts with the return address, which the handler's `ret` would
  // have popped: rt_sigreturn expects the stack pointer just behind it.
  asm volatile("mov %0, %%rsp; mov $15, %%eax; syscall; ud2" ::"r"(ucontext)
               : "memory");
  __builtin_unreachable();
}

uintptr_t interrupted_at(void* ucontext) {
  return (uintptr_t)((ucontext_t*)ucontext)->uc_mcontext.gregs[REG_RIP];
}

Interruption interruption(void* ucontext) {
  static const int kRegisters[] = {REG_RBX, REG_RBP, REG_R8,  REG_R9,  REG_R12,
                                   REG_R13, REG_R14, REG_R15, REG_RAX, REG_RCX,
                                   REG_RDX, REG_RSI, REG_RDI, REG_R10, REG_R11};
  static const int kArguments[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10};
  constexpr char kSyscall[] = {0x0f, 0x05};
  auto* registers = (uint64_t*)((ucontext_t*)ucontext)->uc_mcontext.gregs;
  const auto* code = (const char*)registers[REG_RIP];
  Interruption result = {};
  result.sp = registers[REG_RSP];
  for (int each : kRegisters)
    result.registers[result.count++] = &registers[each];
  result.kept = 8;
  for (int i = 0; i < 4; ++i) result.arguments[i] = registers[kArguments[i]];
  result.in_call =
      memcmp(code, kSyscall, 2) == 0 || memcmp(code - 2, kSyscall, 2) == 0;
  return result;
}

Trampoline restorer() { return forkall_restorer; }

}  // namespace arch
