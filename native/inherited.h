// Descriptors that came into this process through exec(2) and that nothing in
// it uses.
//
// Close-on-exec does not tell, since Node sets it on most of what it inherits.
// What tells: it was open when this addon was loaded, and nothing here uses it.
// docs/how-it-works.md has the reasons.
#pragma once

#include <uv.h>

#include <vector>

namespace inherited {

/** Notes what is open, the first time it is called: at load. */
void remember();

/** What was open then and is open and unused now, 0 to 2 left out. */
std::vector<int> list(uv_loop_t* loop);

}  // namespace inherited
