// The thread: waits for messages and for the log daemon, and when there is
// nobody to send to, tries again.
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>

#include "log_locked.h"
#include "log_sender.h"
#include "thread.h"

namespace posix {

namespace {

// Who waits for a socket is not told that somebody has closed it.
constexpr int kLongestUnseen = 500;

void rest(int microseconds) {
  const struct timespec moment = {0, microseconds * 1000L};
  ::nanosleep(&moment, nullptr);
}

}  // namespace

int LogSender::start() noexcept {
  int error = uv_mutex_init(&sending_);
  if (error == 0) error = uv_mutex_init(&queueing_);
  if (error == 0) error = uv_cond_init(&drained_);
  if (error == 0) error = uv_cond_init(&woken_);
  if (error == 0) error = start_thread(run, this);
  return error;
}

void LogSender::run(void* argument) {
  ::prctl(PR_SET_NAME, "syslog");
  auto& sender = *static_cast<LogSender*>(argument);
  for (;;) {
    uv_mutex_lock(&sender.sending_);
    const int wait = sender.work();
    sender.decide_what_wakes();
    uv_mutex_unlock(&sender.sending_);
    // A mutex is not fair.
    if (sender.wanted_.load()) rest(1000);
    if (wait == kNap)
      rest(static_cast<int>(sender.may_be_unread_) * 2);
    else if (wait != 0)
      sender.wait(wait);
  }
}

// While nothing is unread there is no event but a message: a condition needs no
// descriptor, which somebody could close.
void LogSender::decide_what_wakes() {
  const Locked lock(queueing_);
  listening_ =
      !awake_ && socket_.connected() && (blocked_ || flight_.unread() > 0);
}

void LogSender::wait(int ms) {
  if (listening_ && !socket_.wait(ms < 0 ? kLongestUnseen : ms)) {
    {
      const Locked lock(sending_);
      socket_.watch_again();
    }
    rest(10000);
  }
  const Locked lock(queueing_);
  if (!listening_ && !awake_ && ms > 0)
    uv_cond_timedwait(&woken_, &queueing_, static_cast<uint64_t>(ms) * 1000000);
  while (!listening_ && !awake_ && ms < 0) uv_cond_wait(&woken_, &queueing_);
  asleep_ = awake_ = false;
}

// By who queues, with its lock.
void LogSender::wake() noexcept {
  if (!asleep_) return;
  asleep_ = false;
  rouse();
}

void LogSender::rouse() noexcept {
  awake_ = true;
  if (listening_)
    socket_.stir();
  else
    uv_cond_signal(&woken_);
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
  if (socket_.connected() && !socket_.is_own()) abandon();
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

// Unless something has come meanwhile. What wakes is not decided yet.
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
    return true;
  }
  if (gone_since_ == 0) gone_since_ = now;
  back_off(now);
  return false;
}

// Somebody has closed the socket. The log daemon still gets what it has not
// read: that is not sent again.
void LogSender::abandon() {
  socket_.disconnect();
  connected_.store(false);
  blocked_ = false;
  enough_since_ = 0;
  retry_at_ = 0;
  flying_.store(0);
  LogEntries sent = flight_.take_back();
  const Locked lock(queueing_);
  forget_all(sent);
}

}  // namespace posix
