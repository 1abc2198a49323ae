// Around a fork that keeps all threads.
#include "log_sender.h"

namespace posix {

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
  tell_drained();
  if (socket_.connected()) {
    shared_ = !socket_.renew();
    connected_.store(socket_.connected());
  }
  blocked_ = false;
  flying_.store(0);
  release();
}

}  // namespace posix
