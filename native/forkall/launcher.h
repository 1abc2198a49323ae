// The launching process after detach(): all its threads stopped for ever.
#pragma once

#include <stdint.h>

namespace forkall {

/** What the launching process knows of the daemon. */
struct Launch {
  int channel;  // from the daemon
  int daemon;   // its pid
  /**
   * How long it may take until it is ready; 0: no limit, and the daemon is not
   * the launching process's child.
   */
  uint64_t ready_ns;
};

/**
 * Adopts the daemon when the process in between ends, so that its status can be
 * asked for. To be called before the fork; returns what to give back.
 */
bool adopt_orphans(bool adopt);

/**
 * Waits for the daemon's word and ends the process: with the status that the
 * first byte gives, after the rest went to stderr. A daemon that ends without a
 * word gives its own status; one that is late, or given up by a signal to the
 * launching process, is ended.
 */
[[noreturn]] void leave_with(const Launch& launch);

}  // namespace forkall
