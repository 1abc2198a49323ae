// Strings as exec wants them.
#pragma once

#include <string>
#include <vector>

namespace posix {

// They last as long as the strings do; a null pointer ends them.
inline std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings)
    pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace posix
