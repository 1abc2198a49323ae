// The gate from the C library's -1 and errno to what all of native/ returns:
// the value, or the negated errno.
#pragma once

#include <cerrno>

template <typename T>
inline T result(T value) noexcept {
  return value == -1 ? static_cast<T>(-errno) : value;
}

// The same for calls that a signal handler may cut short: they start again.
template <typename Call>
inline auto uninterrupted(Call call) noexcept {
  auto value = call();
  while (value == -1 && errno == EINTR) value = call();
  return result(value);
}
