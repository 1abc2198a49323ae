// A program as a child process.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace posix {

struct Program {
  std::string file;  // looked for in PATH if it has no slash
  std::vector<std::string> argv;
  std::vector<std::string> env;
  std::string cwd;  // empty: as it is
  int umask;        // -1: as it is
  // fds[i] is what the program has as descriptor i; -1: nothing is done there.
  std::vector<int> fds;
  int group;         // 0: the parent's, 1: one of its own, 2: and a session
  int death_signal;  // sent when the calling thread ends; 0: none
};

// What the child does, in this order; numbered as in src/posix/spawn.ts.
enum Act { fork_act, group_act, death_act, chdir_act, fds_act, exec_act };

// {pid or a negated errno, the act that failed}. It returns once the program
// runs, or has failed to: then there is no child.
std::array<int, 2> spawn(const Program& program) noexcept;

}  // namespace posix
