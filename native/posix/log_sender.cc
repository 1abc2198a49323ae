// Who logs: takes a message in, and asks what became of it.
#include "log_sender.h"

#include <syslog.h>
#include <unistd.h>

#include <algorithm>

#include "log_locked.h"

namespace posix {

namespace {

// A log daemon that has read or taken something that recently, in ms, is not
// stopped. On a machine with much more to do it may have to wait that long.
constexpr int64_t kMoving = 500;

bool is_masked(int priority) {
  return (::setlogmask(0) & LOG_MASK(priority)) == 0;
}

}  // namespace

LogChannel* LogSender::open(LogChannelOptions options) noexcept {
  auto* channel = new LogChannel(*this, std::move(options));
  {
    const Locked lock(queueing_);
    channel->next = channels_;
    channels_ = channel;
  }
  // At once: a chroot may follow.
  const Locked lock(sending_);
  if (!socket_.connected() && reconnect(log_clock())) {
    const Locked queueing(queueing_);
    rouse();
  }
  return channel;
}

void LogSender::keep(LogChannel* channel) noexcept {
  const Locked lock(queueing_);
  ++channel->uses;
}

void LogSender::close(LogChannel* channel) noexcept {
  const Locked lock(queueing_);
  channel->closed = true;
  wake();
}

void LogSender::push(LogChannel* channel, int priority, const char* text,
                     size_t size) noexcept {
  if (is_masked(priority)) return;
  const Locked lock(queueing_);
  begin_to_move(channel);
  channel->push(priority, text, size, sequence_++);
  wake();
}

bool LogSender::offer(LogChannel* channel, int priority, const char* text,
                      size_t size, pid_t pid) noexcept {
  if (is_masked(priority)) return true;
  const Locked lock(queueing_);
  if (::getpid() != pid) return true;
  begin_to_move(channel);
  if (!channel->has_room(size) && is_moving()) return false;
  channel->push(priority, text, size, sequence_++);
  wake();
  return true;
}

// From nothing queued on, the log daemon has its time.
void LogSender::begin_to_move(const LogChannel* channel) {
  if (channel->idle()) moved_at_.store(log_clock());
}

bool LogSender::is_moving() const {
  return log_clock() - moved_at_.load() < kMoving;
}

bool LogSender::should_wait(const LogChannel* channel) noexcept {
  const Locked lock(queueing_);
  return channel->is_half_full() && is_moving();
}

void LogSender::list_fds(std::vector<int>& fds) noexcept {
  for (const int fd : socket_.fds()) fds.push_back(fd);
  for (LogChannel* channel = channels_; channel; channel = channel->next)
    fds.push_back(channel->options.fallback);
}

LogCounts LogSender::counts(const LogChannel* channel) noexcept {
  const Locked lock(queueing_);
  return channel->counts();
}

int64_t LogSender::patience(bool all) noexcept {
  const Locked lock(queueing_);
  int64_t longest = 0;
  for (LogChannel* channel = channels_; channel; channel = channel->next)
    if (all || !channel->idle())
      longest = std::max(longest, channel->options.patience);
  return longest;
}

bool LogSender::is_idle() noexcept {
  const Locked lock(queueing_);
  for (LogChannel* channel = channels_; channel; channel = channel->next)
    if (!channel->idle() || channel->owes_notice()) return false;
  return true;
}

bool LogSender::flush(const LogChannel* channel, int64_t ms) noexcept {
  const int64_t end = log_clock() + ms;
  const Locked lock(queueing_);
  ++flushing_;
  for (int64_t left; !channel->idle() && (left = end - log_clock()) > 0;)
    uv_cond_timedwait(&drained_, &queueing_,
                      static_cast<uint64_t>(left) * 1000000);
  --flushing_;
  return channel->idle();
}

}  // namespace posix
