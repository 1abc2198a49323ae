// The user and group databases, as the name service (NSS) answers.
#pragma once

#include <string>
#include <tuple>
#include <vector>

namespace posix {

// {1, 0 where there is none, or a negated errno; name; uid; primary gid}
using User = std::tuple<int, std::string, unsigned, unsigned>;
User getpwnam(const std::string& name) noexcept;
User getpwuid(unsigned uid) noexcept;

// {1, 0 where there is none, or a negated errno; name; gid}
using Group = std::tuple<int, std::string, unsigned>;
Group getgrnam(const std::string& name) noexcept;

// The groups that the user of this name is in, `gid` among them.
std::vector<unsigned> getgrouplist(const std::string& name,
                                   unsigned gid) noexcept;

}  // namespace posix
