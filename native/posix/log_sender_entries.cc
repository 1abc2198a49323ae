// What becomes of entries at their end: counted, written to a file where there
// is no way, sent in parts, freed.
#include <algorithm>

#include "log_locked.h"
#include "log_sender.h"

namespace posix {

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

void LogSender::give_up_to_files() noexcept {
  const Locked lock(sending_);
  LogEntries rest;
  take_for_files(
      rest, [](const LogChannel&, int64_t) { return true; }, 0);
  write_to_files(rest);
}

void LogSender::write_to_files(LogEntries& entries) {
  while (LogEntry* entry = entries.pop()) {
    const bool written = entry->channel->write(*entry);
    const Locked lock(queueing_);
    entry->channel->count_written(*entry, written);
    forget(entry);
    tell_drained();
  }
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
    tell_drained();
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
  tell_drained();
}

void LogSender::tell_drained() {
  if (flushing_ > 0) uv_cond_broadcast(&drained_);
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
    channel->close_file();
    delete channel;
  }
}

}  // namespace posix
