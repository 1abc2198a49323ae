// Threads that are just taking a lock. One that has read its tid but not yet
// written it as the lock's owner would, in the child, write what is no longer
// its own: the lock could never be released again.
#pragma once

#include "forkall/maps.h"
#include "forkall/threads.h"

namespace forkall {

/**
 * Is `thread`, which is stopped, about to write its tid into a lock?
 * @returns 0 if it is not, `*kept` being null; or if it waits for the lock and
 *   keeps its tid in `*kept` meanwhile; -EBUSY if it is, in any other way: a
 *   moment later it will not be
 */
long look_at_taker(const Thread& thread, const List<Mapping>& mappings,
                   uint32_t** kept);

}  // namespace forkall
