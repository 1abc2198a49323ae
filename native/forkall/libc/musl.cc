// musl 1.2, x86-64 and aarch64.
#include <errno.h>
#include <pthread.h>

#include "forkall/kernel.h"
#include "forkall/libc/libc.h"

namespace libc {

namespace {

// struct pthread from the tid on, the same on all 64-bit CPUs. Every mutex with
// an owner stands in the robust list, since it might be robust.
struct Thread {
  int tid, error, detach_state, cancel;
  unsigned char flags[8];
  void* map_base;
  size_t map_size;
  void* stack;
  size_t stack_size, guard_size;
  void *result, *cleanups, *specific;
  void** held_mutexes;
  long offset;
  void* pending;
  int host_error, timer_id;
  void* locale;
  int kill_lock;
  char* loader_error;
  struct Stream* held_streams;
};

// struct _IO_FILE, whose lock names its owner, too.
struct Stream {
  unsigned flags;
  void* pointers[11];
  size_t buffer_size;
  Stream *previous, *next;
  int fd, pipe_pid;
  long lock_count;
  int mode;
  uint32_t lock;
  int line_buffered;
  void* cookie;
  int64_t offset;
  void* more_pointers[3];
  int64_t scan_limits[2];
  Stream *previous_held, *next_held;
};

// pthread_mutex_t from the word of its lock to the link of the list.
constexpr size_t kLock = 4, kLink = 32;

}  // namespace

const int kStopSignal = 33;  // SIGCANCEL
const uint32_t kOwnerMask = 0x3fffffff;

// The tid stands just before errno. To look for its value instead would not
// do: in a container it may be as small as a flag.
bool find_tid_offset(int tid, ptrdiff_t* offset) {
  auto* self = (Thread*)(&errno - 1);
  *offset = (char*)self - (char*)arch::thread_pointer();
  // A list leads back to its beginning, and is mostly empty.
  return self->tid == tid && self->held_mutexes &&
         (uintptr_t)self->held_mutexes % sizeof(void*) == 0;
}

// musl does not register restartable sequences.
void* rseq_area() { return nullptr; }

// Nothing is to be guessed here: see listed_lock().
uint32_t owner_bits(const uint32_t*, uint32_t, uintptr_t, uintptr_t) {
  return 0;
}

uint32_t* listed_lock(int* tid_field, uint32_t index) {
  auto* thread = (Thread*)tid_field;
  void** const head = (void**)&thread->held_mutexes;
  for (auto** link = thread->held_mutexes; link && link != head;
       link = (void**)*link)
    if (index-- == 0) return (uint32_t*)((char*)link - kLink + kLock);
  for (Stream* each = thread->held_streams; each; each = each->next_held)
    if (index-- == 0) return &each->lock;
  return nullptr;
}

bool is_lock_code(uintptr_t pc) {
  constexpr uintptr_t kReach = 16 << 10;  // musl's code for mutexes
  return pc - (uintptr_t)pthread_mutex_destroy + kReach < 2 * kReach;
}

// It reads its tid anew each time it tries.
bool keeps_tid(const FutexCall&) { return false; }

}  // namespace libc
