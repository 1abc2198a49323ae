// The event loop that JavaScript runs on, through libuv's public headers.
#pragma once

#include <uv.h>

#include <vector>

namespace loop {

/** A handle of the loop that has a descriptor. */
struct Handle {
  int fd;
  const char* type;  // libuv's name, such as "tty" or "pipe"
};

/** All of them. */
std::vector<Handle> handles(uv_loop_t* loop);

/**
 * Writes out, waiting if need be, what the streams on `fd` still have queued,
 * in the loop's place: their callbacks are called by the loop as ever.
 * @returns 0 or a negated errno
 */
int flush(uv_loop_t* loop, int fd);

/** write(2) until all is out, waiting where it would block. */
int write_all(int fd, const char* data, size_t size);

}  // namespace loop
