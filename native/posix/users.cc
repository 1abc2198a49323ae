#include "users.h"

#include <grp.h>
#include <pwd.h>

#include <cerrno>

namespace posix {

namespace {

// Calls a *_r function with as large a buffer as its answer needs: a group may
// have thousands of members. They return an errno and do not set it.
template <typename Entry, typename Call>
int look_up(Entry* entry, std::vector<char>& buffer, Call call) {
  constexpr size_t largest = size_t{64} << 20;
  for (;;) {
    Entry* found = nullptr;
    const int error = call(entry, buffer.data(), buffer.size(), &found);
    if (error == EINTR) continue;
    if (error == ERANGE && buffer.size() < largest) {
      buffer = std::vector<char>(buffer.size() * 2);
      continue;
    }
    // Some name services say so where they have no such entry.
    if (error == ENOENT || error == ESRCH) return 0;
    return error != 0 ? -error : found != nullptr;
  }
}

template <typename Call>
User find_user(Call call) {
  std::vector<char> buffer(1024);
  struct passwd entry = {};
  const int found = look_up(&entry, buffer, call);
  if (found != 1) return {found, std::string(), 0, 0};
  return {found, entry.pw_name, entry.pw_uid, entry.pw_gid};
}

}  // namespace

User getpwnam(const std::string& name) noexcept {
  return find_user([&](auto... rest) {  //
    return ::getpwnam_r(name.c_str(), rest...);
  });
}

User getpwuid(unsigned uid) noexcept {
  return find_user([&](auto... rest) { return ::getpwuid_r(uid, rest...); });
}

Group getgrnam(const std::string& name) noexcept {
  std::vector<char> buffer(1024);
  struct group entry = {};
  const int found = look_up(&entry, buffer, [&](auto... rest) {
    return ::getgrnam_r(name.c_str(), rest...);
  });
  if (found != 1) return {found, std::string(), 0};
  return {found, entry.gr_name, entry.gr_gid};
}

std::vector<unsigned> getgrouplist(const std::string& name,
                                   unsigned gid) noexcept {
  std::vector<unsigned> groups(32);
  for (;;) {
    int count = static_cast<int>(groups.size());
    const int got = ::getgrouplist(name.c_str(), gid, groups.data(), &count);
    if (got >= 0) {
      groups.resize(static_cast<size_t>(count));
      return groups;
    }
    // Which count it leaves here differs between the C libraries.
    groups.resize(groups.size() * 2);
  }
}

}  // namespace posix
