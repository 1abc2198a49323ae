// A thread beside those of JavaScript.
#pragma once

namespace posix {

// Starts one that blocks all signals: they are for the others. By libuv, which
// Node brings: the C library's own function would ask for one of this year.
// Returns 0 or a negated errno.
int start_thread(void (*run)(void*), void* argument) noexcept;

}  // namespace posix
