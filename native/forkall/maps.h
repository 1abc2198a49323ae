// /proc/self/maps as numbers.
#pragma once

#include "forkall/arena.h"

namespace forkall {

struct Mapping {
  uintptr_t start, end;
  uint64_t offset, inode;
  bool readable, writable, executable, shared, ring;
};

constexpr uint32_t kMaxMappings = 70000;  // vm.max_map_count is 65530

/** Appends the mappings of the process that `fd`, a maps file, belongs to. */
long read_maps(int fd, List<Mapping>& mappings);

/** Opens a file of the calling process's own folder in /proc. */
long open_own(const char* path);

}  // namespace forkall
