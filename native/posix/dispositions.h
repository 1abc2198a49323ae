// A signal's disposition put aside and given back as it was, whoever set it;
// and the signal mask.
#pragma once

namespace posix {

/** Ignores `signal` and remembers what it did before. */
int set_aside(int signal) noexcept;

/** Gives `signal` back what set_aside() took. */
int give_back(int signal) noexcept;

/**
 * The calling thread blocks no signal any more, and real-time signals that are
 * ignored get their default action.
 */
int reset_signals() noexcept;

}  // namespace posix
