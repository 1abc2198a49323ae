#include "credentials.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "forkall/kernel.h"
#include "result.h"

namespace posix {

namespace {

// Opens what is below a directory of /proc; a descriptor or a negated errno.
int open_below(int directory, const char* path, int flags) {
  return result(::openat(directory, path, O_RDONLY | O_CLOEXEC | flags));
}

int read_text(int fd, std::string& text) {
  char buffer[4096];
  for (;;) {
    const long length = forkall::read_all(fd, buffer, sizeof buffer);
    if (length <= 0) return static_cast<int>(length);
    text.append(buffer, static_cast<size_t>(length));
  }
}

bool is_gone(int error) { return error == -ENOENT || error == -ESRCH; }

// Of a thread that ends meanwhile: 0 and no text.
int read_status(int tasks, int tid, std::string& text) {
  char path[forkall::kProcPath];
  forkall::proc_path(path, "", tid, "/status");
  const int fd = open_below(tasks, path, 0);
  if (fd < 0) return is_gone(fd) ? 0 : fd;
  const int error = read_text(fd, text);
  ::close(fd);
  if (!is_gone(error)) return error;
  text.clear();
  return 0;
}

}  // namespace

int setgroups(const std::vector<unsigned>& groups) noexcept {
  return result(::setgroups(groups.size(), groups.data()));
}

int setresgid(unsigned real, unsigned effective, unsigned saved) noexcept {
  return result(::setresgid(real, effective, saved));
}

int setresuid(unsigned real, unsigned effective, unsigned saved) noexcept {
  return result(::setresuid(real, effective, saved));
}

int open_proc() noexcept {
  const int fd = result(::open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd < 0) return fd;
  struct statfs system = {};
  if (::fstatfs(fd, &system) == 0 && system.f_type == PROC_SUPER_MAGIC)
    return fd;
  ::close(fd);
  return -ENOENT;
}

Statuses thread_statuses(int proc) noexcept {
  std::vector<std::string> texts;
  // "self" is looked up now: the caller may have been forked since it opened
  // `proc`.
  const int tasks = open_below(proc, "self/task", O_DIRECTORY);
  if (tasks < 0) return {tasks, texts};
  std::vector<int> seen;
  int error = 0;
  // A thread is born by another one: the listing that brings nothing new is the
  // last.
  for (bool any = true; any && error == 0;) {
    any = false;
    const long listed = forkall::each_number(tasks, [&](int tid) {
      if (std::find(seen.begin(), seen.end(), tid) != seen.end()) return;
      seen.push_back(tid);
      any = true;
      std::string text;
      const int failure = read_status(tasks, tid, text);
      if (failure < 0) error = failure;
      if (!text.empty()) texts.push_back(text);
    });
    if (listed < 0) error = static_cast<int>(listed);
  }
  ::close(tasks);
  return {error, texts};
}

int set_dumpable(int dumpable) noexcept {
  return result(::prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0));
}

}  // namespace posix
