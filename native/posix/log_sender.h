// The thread that sends to one log daemon, and the channels that feed it. Who
// logs only queues: nobody waits for the log daemon but this thread.
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "log_channel.h"
#include "log_flight.h"
#include "log_socket.h"

namespace posix {

class LogSender {
 public:
  // The one for this path, made if need be and never freed. Null, and a negated
  // errno, where its thread cannot be started.
  static LogSender* get(const std::string& path, int& error) noexcept;

  LogChannel* open(LogChannelOptions options) noexcept;
  // It stays for ever, whoever closes it.
  void keep(LogChannel* channel) noexcept;
  // Nothing more comes; what is queued is still sent.
  void close(LogChannel* channel) noexcept;

  // Queues a line, if setlogmask() lets it through.
  void push(LogChannel* channel, int priority, const char* text,
            size_t size) noexcept;
  // Likewise, for who can wait: false where the queue is full and the log
  // daemon is reading. `pid`: whose message it is; the child of a fork forgets
  // its parent's.
  bool offer(LogChannel* channel, int priority, const char* text, size_t size,
             pid_t pid) noexcept;

  // Whether who can wait should do so before it pushes more: the queue is half
  // full, and the log daemon is reading.
  bool should_wait(const LogChannel* channel) noexcept;

  LogCounts counts(const LogChannel* channel) noexcept;
  bool connected() const { return connected_.load(); }

  // Waits until nothing of the channel is queued; false after `ms`.
  bool flush(const LogChannel* channel, int64_t ms) noexcept;

  // Around a fork that keeps all threads, in order.
  void hold() noexcept;
  void release() noexcept;
  void renew() noexcept;  // instead, in the child

  // The descriptors it has, while it is held.
  void list_fds(std::vector<int>& fds) noexcept;

  // At the end of the process.
  bool is_idle() noexcept;
  size_t flying() const { return flying_.load(); }
  // ms, of the most patient channel; or of those alone that have something.
  int64_t patience(bool all) noexcept;
  void give_up_to_files() noexcept;

  LogSender* next = nullptr;  // of all

 private:
  // How many messages are taken from the queue at a time: no more than a fork,
  // or who logs, can wait for.
  static constexpr size_t kBatch = 32;

  // How many messages may be unread while the log daemon reads: one for so many
  // that are queued, and at least one. Those that it reads in its last moment
  // are sent again to the next one; but in a flood what counts is speed.
  static constexpr uint64_t kQueuedForOneUnread = 32;

  // After so many messages there is a look at what is read.
  static constexpr size_t kUnlooked = 8;

  // Instead of ms, from work(): what is waited for is a matter of microseconds.
  static constexpr int kNap = -2;

  void begin_to_move(const LogChannel* channel);
  bool is_moving() const;

  static constexpr int kFirstBackOff = 10, kLongestBackOff = 500;

  explicit LogSender(const std::string& path) : path_(path), socket_(path) {}
  const std::string path_;

  // log_sender_thread.cc
  int start() noexcept;
  static void run(void* sender);
  void decide_what_wakes();
  void wait(int ms);
  void wake() noexcept;
  void rouse() noexcept;
  int work();
  bool has_work() noexcept;
  int fall_asleep(int ms);
  void back_off(int64_t now);
  bool reconnect(int64_t now);
  void abandon();

  // log_sender_sending.cc
  int send_all();
  void refill();
  int send_first();
  bool is_enough();
  int wait_for_room();
  int wait_for_reading();
  LogSocket::Peer look();
  void settle();
  void lose();

  // log_sender_entries.cc
  int live_without_way(int64_t now);
  void take_for_files(LogEntries& to, bool (*may)(const LogChannel&, int64_t),
                      int64_t gone);
  void write_to_files(LogEntries& entries);
  void split_first();
  void count_sent();
  void tell_drained();
  void forget(LogEntry* entry);
  void forget_all(LogEntries& entries);
  void reap();

  // The thread has it while it works on the socket, never while it waits.
  uv_mutex_t sending_;
  LogSocket socket_;
  LogFlight flight_;
  bool shared_ = false;  // the socket, with the parent
  LogEntries outgoing_;  // taken from the channels, the next to be sent
  LogEntries sent_read_;
  LogEntry* sent_[kBatch];  // not counted yet
  size_t sent_count_ = 0;
  bool proved_ = false;  // something was sent on this connection
  bool blocked_ = false;
  int back_off_ = 0;
  int64_t retry_at_ = 0;
  int64_t enough_since_ = 0;
  size_t may_be_unread_ = 1;
  int64_t gone_since_ = 0;  // 0: there is a way, or nobody has looked

  // For a moment: by who logs, and by the thread.
  uv_mutex_t queueing_;
  uv_cond_t drained_;  // something may be
  int flushing_ = 0;   // who waits for that
  LogChannel* channels_ = nullptr;
  uint64_t sequence_ = 0;
  uv_cond_t woken_;
  bool asleep_ = false;
  bool awake_ = false;      // it was asleep
  bool listening_ = false;  // it waits, or will, for the log daemon to read

  std::atomic<bool> wanted_{false};  // sending_, by who forks
  std::atomic<bool> connected_{false};
  std::atomic<int64_t> moved_at_{0};
  std::atomic<size_t> flying_{0};  // not read
};

// For all of them.
void hold_log_senders() noexcept;
void release_log_senders() noexcept;
void renew_log_senders() noexcept;

// closefrom(), but for what the senders have: their threads use it.
int closefrom_but_logs(int lowfd, std::vector<int> except) noexcept;

// Waits until all is sent that is queued in this process, for as long as the
// most patient channel says.
void flush_log_senders() noexcept;

}  // namespace posix
