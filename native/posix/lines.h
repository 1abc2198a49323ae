// A stream of bytes as lines that a log can take.
#pragma once

#include <cstddef>
#include <string>

namespace posix {

// Splits at newlines and hands on line by line, safe to be shown: a control
// character, and a byte that is no UTF-8, become an escape such as \x1b, a NUL
// becomes \0. Tabs stay, and a CR before the newline goes.
class Lines {
 public:
  using Send = void (*)(int priority, const std::string& line) noexcept;
  using SendTo = void (*)(void* to, int priority,
                          const std::string& line) noexcept;

  // The longest piece of a line, less the marks, that a log takes at once.
  static const size_t kPiece;

  Lines(Send send, int priority) noexcept
      : send_(send), priority_(priority), piece_(kPiece) {}
  Lines(SendTo send, void* to, int priority, size_t piece) noexcept
      : send_to_(send), to_(to), priority_(priority), piece_(piece) {}

  // Of the lines to come.
  void set_priority(int priority) noexcept { priority_ = priority; }

  // What comes after the last newline is held until the rest of it comes.
  void feed(const char* data, size_t size) noexcept;

  // No more will come: sends what is held.
  void end() noexcept;

  // Forgets what is held.
  void drop() noexcept;

 private:
  void take(unsigned char byte) noexcept;
  void finish_character() noexcept;
  void escape(const char* prefix, unsigned char byte) noexcept;
  void escape_held() noexcept;
  void put(const char* text, size_t size) noexcept;
  void put_plain(const char* text, size_t size) noexcept;
  void finish_line() noexcept;
  void send() noexcept;

  Send send_ = nullptr;
  SendTo send_to_ = nullptr;
  void* to_ = nullptr;
  int priority_;
  size_t piece_;
  std::string line_;
  bool begun_ = false;  // something came since the last newline
  bool cr_ = false;     // the last that came was a CR
  // A character of several bytes that is not complete.
  unsigned char held_[4] = {};
  size_t held_size_ = 0;
  size_t needed_ = 0;
};

}  // namespace posix
