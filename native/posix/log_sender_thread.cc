// The thread: waits for messages and for the log daemon, and when there is
// nobody to send to, tries again.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "descriptors.h"
#include "log_locked.h"
#include "log_sender.h"
#include "result.h"
#include "thread.h"

namespace posix {

namespace {

void rest(int microseconds) {
  const struct timespec moment = {0, microseconds * 1000L};
  ::nanosleep(&moment, nullptr);
}

}  // namespace

int LogSender::start() noexcept {
  int error = uv_mutex_init(&sending_);
  if (error == 0) error = uv_mutex_init(&queueing_);
  if (error == 0) error = uv_cond_init(&drained_);
  if (error == 0) error = open_events();
  if (error == 0) error = start_thread(run, this);
  return error;
}

int LogSender::open_events() noexcept {
  events_ = result(::epoll_create1(EPOLL_CLOEXEC));
  if (events_ < 0) return events_;
  wake_ = result(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  struct epoll_event event = {EPOLLIN, {}};
  event.data.fd = wake_;
  int error = wake_;
  if (wake_ >= 0)
    error = result(::epoll_ctl(events_, EPOLL_CTL_ADD, wake_, &event));
  if (error >= 0) return 0;
  if (wake_ >= 0) posix::close(wake_);
  posix::close(events_);
  return error;
}

// Edge-triggered: it tells of every message that is read.
void LogSender::watch_socket() noexcept {
  struct epoll_event event = {EPOLLOUT | EPOLLET, {}};
  event.data.fd = socket_.fd();
  ::epoll_ctl(events_, EPOLL_CTL_ADD, socket_.fd(), &event);
}

void LogSender::wake() noexcept {
  const uint64_t one = 1;
  uninterrupted([&] { return ::write(wake_, &one, sizeof one); });
}

void LogSender::run(void* argument) {
  ::prctl(PR_SET_NAME, "syslog");
  auto& sender = *static_cast<LogSender*>(argument);
  for (;;) {
    uv_mutex_lock(&sender.sending_);
    const int wait = sender.work();
    uv_mutex_unlock(&sender.sending_);
    // A mutex is not fair.
    if (sender.wanted_.load()) rest(1000);
    if (wait == kNap)
      rest(static_cast<int>(sender.may_be_unread_) * 2);
    else if (wait != 0)
      sender.wait(wait);
  }
}

void LogSender::wait(int ms) {
  struct epoll_event events[2];
  const int count = ::epoll_wait(events_, events, 2, ms);
  // closefrom() has closed all of it.
  if (count == -1 && errno != EINTR) {
    const Locked lock(sending_);
    if (open_events() < 0) rest(100000);
    if (socket_.connected()) watch_socket();
  }
  for (int i = 0; i < count; ++i) {
    uint64_t woken;
    if (events[i].data.fd == wake_)
      uninterrupted([&] { return ::read(wake_, &woken, sizeof woken); });
  }
  const Locked lock(queueing_);
  asleep_ = false;
}

// How many ms to wait for an event: 0 for not at all, -1 for ever; or kNap.
int LogSender::work() {
  LogEntries spilled;
  {
    const Locked lock(queueing_);
    for (LogChannel* channel = channels_; channel; channel = channel->next)
      channel->take_spilled(spilled);
    reap();
  }
  write_to_files(spilled);
  if (socket_.connected()) return send_all();
  if (!has_work()) return fall_asleep(-1);
  const int64_t now = log_clock();
  if (now >= retry_at_ && reconnect(now)) return send_all();
  return live_without_way(now);
}

bool LogSender::has_work() noexcept {
  if (!outgoing_.empty()) return true;
  const Locked lock(queueing_);
  for (LogChannel* channel = channels_; channel; channel = channel->next)
    if (!channel->idle() || channel->owes_notice()) return true;
  return false;
}

// Unless something has come meanwhile.
int LogSender::fall_asleep(int ms) {
  const Locked lock(queueing_);
  for (LogChannel* channel = channels_; channel; channel = channel->next)
    if (!channel->idle() || channel->owes_notice()) return 0;
  asleep_ = true;
  return ms;
}

void LogSender::back_off(int64_t now) {
  back_off_ = std::clamp(back_off_ * 2, kFirstBackOff, kLongestBackOff);
  retry_at_ = now + back_off_;
}

bool LogSender::reconnect(int64_t now) {
  if (socket_.connect() == 0) {
    connected_.store(true);
    shared_ = blocked_ = proved_ = false;
    watch_socket();
    return true;
  }
  if (gone_since_ == 0) gone_since_ = now;
  back_off(now);
  return false;
}

}  // namespace posix
