// One .cc per CPU, chosen by the build.
#pragma once

#include <stdint.h>

namespace registers {

/**
 * Fills all registers with what follows from `seed`, general ones, floating
 * point and vector ones, and compares them with that until *stop is not 0.
 * @returns 0, or the number of the first register that had changed
 */
long spin(uint64_t seed, const uint32_t* stop);

/** The rounding mode and the other controls of floating point. */
uint64_t floating_point_control();
void set_floating_point_control(uint64_t control);

/** Not the default one: rounds towards zero. */
uint64_t other_control();

}  // namespace registers
