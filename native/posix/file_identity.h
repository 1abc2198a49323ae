// Which file a descriptor or a path leads to. A number says little: who closes
// what is not theirs gives it to whatever is opened next.
#pragma once

#include <cstdint>

namespace posix {

struct FileIdentity {
  uint64_t device = 0, inode = 0;

  bool operator==(const FileIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
};

// False where there is no such file.
bool identify(int fd, FileIdentity& identity) noexcept;
bool identify(const char* path, FileIdentity& identity) noexcept;

}  // namespace posix
