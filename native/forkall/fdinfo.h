// The text of /proc/self/fdinfo/N.
#pragma once

#include "forkall/kernel.h"

namespace forkall {

/** Reads the text of descriptor `fd`; its length, or a negated errno. */
long read_fdinfo(int fd, char* text, size_t size);

/** The number behind `key`, in `base`; 0 where there is no such line. */
uint64_t field(const char* text, const char* key, uint32_t base);

/** Likewise, but moves `text` behind what it has read; false at the end. */
bool next_field(const char*& text, const char* key, uint32_t base,
                uint64_t* value);

}  // namespace forkall
