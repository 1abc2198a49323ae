// A lock for the time of a block.
#pragma once

#include <uv.h>

namespace posix {

class Locked {
 public:
  explicit Locked(uv_mutex_t& mutex) : mutex_(mutex) { uv_mutex_lock(&mutex_); }
  ~Locked() { uv_mutex_unlock(&mutex_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  uv_mutex_t& mutex_;
};

}  // namespace posix
