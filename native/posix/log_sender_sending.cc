// Sending: what is next, what the log daemon has read, and what is sent again
// when it is gone.
#include <algorithm>

#include "log_locked.h"
#include "log_sender.h"

namespace posix {

namespace {

// What send_first() answers where is_enough().
constexpr int kEnough = 1;

// A log daemon that reads nothing for so long is stopped, or much too slow.
constexpr int kBehind = 100;

// Nothing tells of some errors that they are over, such as ENOBUFS.
constexpr int kLookAgain = 500;

bool is_for_now(int error) {
  return error == -EAGAIN || error == -ENOBUFS || error == -ENOMEM ||
         error == -EINTR;
}

}  // namespace

int LogSender::send_all() {
  refill();
  const bool any = !outgoing_.empty();
  int error = 0;
  while (!outgoing_.empty() && (error = send_first()) == 0) continue;
  settle();
  if (error == 0) return any ? 0 : wait_for_reading();
  if (error == kEnough) return wait_for_room();
  if (is_for_now(error)) {
    blocked_ = true;
    look();
    return connected() ? kLookAgain : 0;
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
  uint64_t queued = 0;
  for (LogChannel* channel = channels_; channel; channel = channel->next)
    queued += channel->counts().queued;
  may_be_unread_ = std::max<uint64_t>(queued / kQueuedForOneUnread, 1);
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
  if (is_enough()) return kEnough;
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

void LogSender::settle() {
  if (sent_count_ > 0 || flight_.has_unproved()) moved_at_.store(log_clock());
  flying_.store(flight_.unread());
  if (sent_count_ > 0) count_sent();
  if (!sent_read_.empty()) {
    const Locked lock(queueing_);
    forget_all(sent_read_);
  }
}

// Whether so much is unread that the log daemon should read first. One that
// reads nothing is given all that it takes: there it outlives this process.
bool LogSender::is_enough() {
  const auto room = [&] { return flight_.unread() < may_be_unread_; };
  if (room() && flight_.unlooked() < kUnlooked) return false;
  flight_.look(socket_);
  if (room() || flight_.has_unproved()) enough_since_ = 0;
  if (room()) return false;
  const int64_t now = log_clock();
  if (enough_since_ == 0) enough_since_ = now;
  return now - enough_since_ < kBehind;
}

// Its reading is an event. To wait for each would cost more than a message
// does: where many may be unread, several are read meanwhile.
int LogSender::wait_for_room() {
  if (flight_.has_unproved() && look() == LogSocket::Peer::kGone) return 0;
  return may_be_unread_ > kUnlooked ? kNap : kBehind;
}

// What has been read, if the log daemon is still there.
LogSocket::Peer LogSender::look() {
  flight_.look(socket_);
  flying_.store(flight_.unread());
  if (!flight_.has_unproved()) return LogSocket::Peer::kThere;
  const LogSocket::Peer peer = socket_.look_for_peer();
  if (peer == LogSocket::Peer::kThere) {
    flight_.prove(sent_read_);
    settle();
  } else if (peer == LogSocket::Peer::kGone) {
    lose();
  }
  return peer;
}

// All is sent.
int LogSender::wait_for_reading() {
  switch (look()) {
    case LogSocket::Peer::kThere:
      back_off_ = 0;
      return fall_asleep(flight_.empty() ? -1 : kLookAgain);
    case LogSocket::Peer::kGone:
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
  enough_since_ = 0;
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

}  // namespace posix
