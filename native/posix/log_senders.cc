// All the senders of the process: found, held at a fork, and flushed at its
// end.
#include <time.h>

#include <algorithm>
#include <cstdlib>

#include "descriptors.h"
#include "log_pipes.h"
#include "log_sender.h"

namespace posix {

namespace {

// How long the end of a process waits for what was sent to be read: the log
// daemon may be about to end too.
constexpr int64_t kReadPatience = 100;

// Never freed: the threads use them until the process is gone.
LogSender* senders = nullptr;
uv_mutex_t registering;
uv_once_t once = UV_ONCE_INIT;
bool works = false;

void rest() {
  const struct timespec moment = {0, 200000};
  ::nanosleep(&moment, nullptr);
}

void initialize() {
  works = uv_mutex_init(&registering) == 0 &&
          // After all of JavaScript, and after Node has printed an error that
          // nobody caught.
          ::atexit(flush_log_senders) == 0;
}

template <typename Question>
bool all(Question question) {
  for (LogSender* sender = senders; sender; sender = sender->next)
    if (!question(*sender)) return false;
  return true;
}

template <typename Question>
bool wait_until(int64_t end, Question question) {
  while (!all(question)) {
    if (log_clock() >= end) return false;
    rest();
  }
  return true;
}

}  // namespace

LogSender* LogSender::get(const std::string& path, int& error) noexcept {
  ::uv_once(&once, initialize);
  error = works ? 0 : -ENOMEM;
  if (!works) return nullptr;
  uv_mutex_lock(&registering);
  LogSender* found = senders;
  while (found != nullptr && found->path_ != path) found = found->next;
  if (found == nullptr) {
    auto* made = new LogSender(path);
    error = made->start();
    if (error == 0) {
      made->next = senders;
      senders = found = made;
    } else {
      delete made;
    }
  }
  uv_mutex_unlock(&registering);
  return found;
}

void hold_log_senders() noexcept {
  if (!works) return;
  uv_mutex_lock(&registering);
  for (LogSender* one = senders; one; one = one->next) one->hold();
}

void release_log_senders() noexcept {
  if (!works) return;
  for (LogSender* one = senders; one; one = one->next) one->release();
  uv_mutex_unlock(&registering);
}

void renew_log_senders() noexcept {
  if (!works) return;
  for (LogSender* one = senders; one; one = one->next) one->renew();
  uv_mutex_unlock(&registering);
}

int closefrom_but_logs(int lowfd, std::vector<int> except) noexcept {
  hold_log_senders();
  for (LogSender* one = senders; one; one = one->next) one->list_fds(except);
  list_log_pipes(except);
  const int error = closefrom(lowfd, except);
  release_log_senders();
  return error;
}

void flush_log_senders() noexcept {
  const int64_t begin = log_clock();
  int64_t patience = 0, longest = 0;
  for (LogSender* one = senders; one; one = one->next) {
    patience = std::max(patience, one->patience(false));
    longest = std::max(longest, one->patience(true));
  }
  if (wait_until(begin + patience,
                 [](LogSender& sender) { return sender.is_idle(); }))
    wait_until(std::min(begin + longest, log_clock() + kReadPatience),
               [](LogSender& sender) { return sender.flying() == 0; });
  for (LogSender* one = senders; one; one = one->next) one->give_up_to_files();
}

}  // namespace posix
