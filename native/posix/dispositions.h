// A signal's disposition put aside and given back as it was, whoever set it.
#pragma once

namespace posix {

/** Ignores `signal` and remembers what it did before. */
int set_aside(int signal) noexcept;

/** Gives `signal` back what set_aside() took. */
int give_back(int signal) noexcept;

}  // namespace posix
