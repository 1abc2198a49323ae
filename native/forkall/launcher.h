// The launching process after detach(): all its threads stopped for ever.
#pragma once

namespace forkall {

/**
 * Waits for the daemon's word on `channel` and ends the process: with the
 * status that the first byte gives, after the rest went to stderr.
 */
[[noreturn]] void leave_with(int channel);

}  // namespace forkall
