#include "forkall/arena.h"

#include <sys/mman.h>

namespace forkall {

long Arena::open(size_t size, bool shared) {
  int flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS;
  long base = sys(SYS_mmap, 0, size, PROT_READ | PROT_WRITE,
                  flags | MAP_NORESERVE, -1, 0);
  if (failed(base)) return base;
  base_ = (char*)base;
  size_ = size;
  used_ = 0;
  return 0;
}

void Arena::close() {
  if (base_) sys(SYS_munmap, base_, size_);
  base_ = nullptr;
  size_ = used_ = 0;
}

}  // namespace forkall
