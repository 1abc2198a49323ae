#include "log_sender.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "descriptors.h"
#include "result.h"

namespace posix {

namespace {

constexpr int kFirstBackOff = 10, kLongestBackOff = 500;

// Nothing tells of some errors that they are over, such as ENOBUFS.
constexpr int kLookAgain = 500;

// A log daemon that has read or taken something that recently is not stopped.
constexpr int64_t kMoving = 100;

bool is_for_now(int error) {
  return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM ||
         error == -EINTR;
}

bool is_masked(int priority) {
  return (::setlogmask(0) & LOG_MASK(priority)) == 0;
}

void rest(int microseconds) {
  const struct timespec moment = {0, microseconds * 1000L};
  ::nanosleep(&moment, nullptr);
}

class Locked {
 public:
  explicit Locked(uv_mutex_t& mutex) : mutex_(mutex) { uv_mutex_lock(&mutex_); }
  ~Locked() { uv_mutex_unlock(&mutex_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  uv_mutex_t& mutex_;
};

}  // namespace

// By libuv, which Node brings: the C library's own function would ask for one
// of this year. The new thread blocks all signals, as this one does just then.
int LogSender::start() noexcept {
  int error = uv_mutex_init(&sending_);
  if (error == 0) error = uv_mutex_init(&queueing_);
  if (error == 0) error = open_events();
  if (error < 0) return error;
  sigset_t all, before;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  uv_thread_t thread;
  error = ::uv_thread_create(&thread, run, this);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
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

// ---- who logs

LogChannel* LogSender::open(LogChannelOptions options) noexcept {
  auto* channel = new LogChannel(*this, std::move(options));
  {
    const Locked lock(queueing_);
    channel->next = channels_;
    channels_ = channel;
  }
  // At once: a chroot may follow.
  const Locked lock(sending_);
  if (!socket_.connected()) reconnect(log_clock());
  return channel;
}

void LogSender::keep(LogChannel* channel) noexcept {
  const Locked lock(queueing_);
  ++channel->uses;
}

void LogSender::close(LogChannel* channel) noexcept {
  const Locked lock(queueing_);
  channel->closed = true;
  if (asleep_) wake();
  asleep_ = false;
}

void LogSender::push(LogChannel* channel, int priority, const char* text,
                     size_t size) noexcept {
  if (is_masked(priority)) return;
  bool asleep;
  {
    const Locked lock(queueing_);
    channel->push(priority, text, size, sequence_++);
    asleep = asleep_;
    asleep_ = false;
  }
  if (asleep) wake();
}

bool LogSender::offer(LogChannel* channel, int priority, const char* text,
                      size_t size, pid_t pid) noexcept {
  if (is_masked(priority)) return true;
  const Locked lock(queueing_);
  if (::getpid() != pid) return true;
  if (!channel->has_room() && log_clock() - moved_at_.load() < kMoving)
    return false;
  channel->push(priority, text, size, sequence_++);
  if (asleep_) wake();
  asleep_ = false;
  return true;
}

LogCounts LogSender::counts(const LogChannel* channel) noexcept {
  const Locked lock(queueing_);
  return channel->counts();
}

int64_t LogSender::patience() noexcept {
  const Locked lock(queueing_);
  int64_t longest = 0;
  for (LogChannel* channel = channels_; channel; channel = channel->next)
    longest = std::max(longest, channel->options.patience);
  return longest;
}

bool LogSender::is_idle() noexcept {
  const Locked lock(queueing_);
  for (LogChannel* channel = channels_; channel; channel = channel->next)
    if (!channel->idle() || channel->owes_notice()) return false;
  return true;
}

void LogSender::give_up_to_files() noexcept {
  const Locked lock(sending_);
  LogEntries rest;
  take_for_files(
      rest, [](const LogChannel&, int64_t) { return true; }, 0);
  write_to_files(rest);
}

bool LogSender::flush(const LogChannel* channel, int64_t ms) noexcept {
  const int64_t end = log_clock() + ms;
  for (;; rest(200)) {
    {
      const Locked lock(queueing_);
      if (channel->idle()) return true;
    }
    if (log_clock() >= end) return false;
  }
}

// ---- the thread

void LogSender::run(void* argument) {
  ::prctl(PR_SET_NAME, "syslog");
  auto& sender = *static_cast<LogSender*>(argument);
  for (;;) {
    uv_mutex_lock(&sender.sending_);
    const int wait = sender.work();
    uv_mutex_unlock(&sender.sending_);
    // A mutex is not fair.
    if (sender.wanted_.load()) rest(1000);
    if (wait != 0) sender.wait(wait);
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
  uint64_t woken;
  uninterrupted([&] { return ::read(wake_, &woken, sizeof woken); });
  const Locked lock(queueing_);
  asleep_ = false;
}

// How many ms to wait for an event: 0 for not at all, -1 for ever.
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

// What may go to a file does so after a while.
int LogSender::live_without_way(int64_t now) {
  const int64_t gone = gone_since_ == 0 ? 0 : now - gone_since_;
  LogEntries late;
  take_for_files(
      late,
      [](const LogChannel& channel, int64_t gone) {
        return gone >= channel.options.without_way;
      },
      gone);
  write_to_files(late);
  return static_cast<int>(std::max<int64_t>(retry_at_ - now, 1));
}

void LogSender::take_for_files(LogEntries& to,
                               bool (*may)(const LogChannel&, int64_t),
                               int64_t gone) {
  LogEntries others;
  const auto chosen = [&](const LogChannel& channel) {
    return channel.options.fallback >= 0 && may(channel, gone);
  };
  while (LogEntry* entry = outgoing_.pop())
    (chosen(*entry->channel) ? to : others).push(entry);
  outgoing_ = others;
  const Locked lock(queueing_);
  for (LogChannel* channel = channels_; channel; channel = channel->next) {
    if (!chosen(*channel)) continue;
    channel->take_spilled(to);
    while (LogEntry* entry = channel->take()) to.push(entry);
  }
}

void LogSender::write_to_files(LogEntries& entries) {
  while (LogEntry* entry = entries.pop()) {
    const bool written = entry->channel->write(*entry);
    const Locked lock(queueing_);
    entry->channel->count_written(*entry, written);
    forget(entry);
  }
}

int LogSender::send_all() {
  refill();
  const bool any = !outgoing_.empty();
  int error = 0;
  while (!outgoing_.empty() && (error = send_first()) == 0) continue;
  settle();
  if (error == 0) return any ? 0 : wait_for_reading();
  if (is_for_now(error)) {
    blocked_ = true;
    return kLookAgain;
  }
  lose();
  return 0;
}

// What is next, across the channels.
void LogSender::refill() {
  if (!outgoing_.empty()) return;
  const Locked lock(queueing_);
  const int64_t now = log_clock();
  if (!blocked_)
    for (LogChannel* channel = channels_; channel; channel = channel->next)
      if (LogEntry* notice = channel->make_notice(now)) outgoing_.push(notice);
  for (size_t count = 0; count < kBatch; ++count) {
    LogChannel* oldest = nullptr;
    uint64_t sequence = ~uint64_t{0};
    for (LogChannel* channel = channels_; channel; channel = channel->next) {
      const uint64_t own = channel->oldest();
      if (own >= sequence) continue;
      sequence = own;
      oldest = channel;
    }
    if (oldest == nullptr) return;
    outgoing_.push(oldest->take());
  }
}

int LogSender::send_first() {
  LogEntry* entry = outgoing_.first();
  const uint32_t charge = shared_ ? 0 : socket_.charge(entry->size);
  if (!shared_) flight_.look(socket_);
  const int error = socket_.send(entry->data(), entry->size);
  if (error == -EMSGSIZE) {
    split_first();
    return 0;
  }
  if (error != 0) return error;
  blocked_ = false;
  proved_ = true;
  back_off_ = 0;
  gone_since_ = 0;
  outgoing_.pop();
  if (sent_count_ == kBatch) count_sent();
  sent_[sent_count_++] = entry;
  if (shared_) {
    sent_read_.push(entry);
  } else {
    flight_.prove(sent_read_);
    flight_.add(entry, charge);
  }
  return 0;
}

// Longer than this system lets a message be: two of half the size.
void LogSender::split_first() {
  constexpr size_t kShortest = 8;
  LogEntry* entry = outgoing_.pop();
  LogChannel* channel = entry->channel;
  const std::string text(entry->data() + entry->header,
                         entry->size - entry->header);
  size_t middle = text.size() / 2;
  while (middle > 0 && (text[middle] & 0xc0) == 0x80) --middle;
  const Locked lock(queueing_);
  if (middle < kShortest) {
    channel->count_dropped(*entry);
    return forget(entry);
  }
  LogEntry* second = channel->make_part(*entry, "..." + text.substr(middle));
  if (second != nullptr) outgoing_.push_first(second);
  LogEntry* first = channel->make_part(*entry, text.substr(0, middle) + "...");
  if (first != nullptr) outgoing_.push_first(first);
  channel->count_split(*entry);
  forget(entry);
}

void LogSender::count_sent() {
  const Locked lock(queueing_);
  for (size_t i = 0; i < sent_count_; ++i)
    sent_[i]->channel->count_sent(*sent_[i]);
  sent_count_ = 0;
}

void LogSender::settle() {
  if (sent_count_ > 0 || flight_.has_unproved()) moved_at_.store(log_clock());
  flying_.store(flight_.unread());
  if (sent_count_ > 0) count_sent();
  if (!sent_read_.empty()) {
    const Locked lock(queueing_);
    forget_all(sent_read_);
  }
}

void LogSender::forget(LogEntry* entry) {
  --entry->channel->uses;
  LogEntry::free(entry);
}

void LogSender::forget_all(LogEntries& entries) {
  while (LogEntry* entry = entries.pop()) forget(entry);
}

// Channels that nobody has any more, and whose messages are sent.
void LogSender::reap() {
  for (LogChannel** link = &channels_; *link != nullptr;) {
    LogChannel* channel = *link;
    if (!channel->closed || channel->uses > 0 || channel->owes_notice()) {
      link = &channel->next;
      continue;
    }
    *link = channel->next;
    if (channel->options.fallback >= 0) posix::close(channel->options.fallback);
    delete channel;
  }
}

// All is sent. What has been read since, and is the log daemon still there?
int LogSender::wait_for_reading() {
  flight_.look(socket_);
  flying_.store(flight_.unread());
  if (!flight_.has_unproved())
    return fall_asleep(flight_.empty() ? -1 : kLookAgain);
  switch (socket_.look_for_peer()) {
    case LogSocket::Peer::kThere:
      flight_.prove(sent_read_);
      back_off_ = 0;
      settle();
      return fall_asleep(flight_.empty() ? -1 : kLookAgain);
    case LogSocket::Peer::kGone:
      lose();
      return 0;
    case LogSocket::Peer::kOutOfReach:
      return fall_asleep(-1);
    case LogSocket::Peer::kUnknown:
      break;
  }
  back_off_ = std::clamp(back_off_ * 2, kFirstBackOff, kLongestBackOff);
  return fall_asleep(back_off_);
}

// The log daemon is gone, and what it had not read with it.
void LogSender::lose() {
  const int64_t now = log_clock();
  socket_.disconnect();
  connected_.store(false);
  blocked_ = false;
  // One that takes connections and no message would be asked without end.
  if (proved_)
    retry_at_ = 0;
  else
    back_off(now);
  LogEntries unread = flight_.take_back();
  const Locked lock(queueing_);
  for (LogEntry* entry = unread.first(); entry; entry = entry->next)
    entry->channel->count_returned(*entry);
  outgoing_.prepend(unread);
}

// ---- forks

void LogSender::hold() noexcept {
  wanted_.store(true);
  uv_mutex_lock(&sending_);
  uv_mutex_lock(&queueing_);
  wanted_.store(false);
}

void LogSender::release() noexcept {
  uv_mutex_unlock(&queueing_);
  uv_mutex_unlock(&sending_);
}

void LogSender::renew() noexcept {
  forget_all(outgoing_);
  forget_all(sent_read_);
  LogEntries flying = flight_.take_back();
  forget_all(flying);
  for (LogChannel* channel = channels_; channel; channel = channel->next)
    channel->begin_anew();
  if (socket_.connected()) {
    // By its number the new epoll knows the parent's socket.
    ::epoll_ctl(events_, EPOLL_CTL_DEL, socket_.fd(), nullptr);
    shared_ = !socket_.renew();
    watch_socket();
  }
  blocked_ = false;
  flying_.store(0);
  release();
}

}  // namespace posix
