// Threads whose stop signal is still on its way after a stop that was given up.
// Under the default action it would end the process, and the C library's
// handler would do again what it did last: ours must wait for it, and only
// then may the signal be the C library's own again.
#pragma once

namespace forkall::late {

void add(int tid);

/** Takes a thread off the list; false if it is not there. */
bool remove(int tid);

bool any();

/** In a child, which has no pending signals. */
void forget();

}  // namespace forkall::late
