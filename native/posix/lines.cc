#include "lines.h"

namespace posix {

namespace {

// At the end of each piece of a line but the last, and before each but the
// first.
constexpr char kMark[] = "...";

// How many bytes a character has, by its first one; 0: it is no first one.
size_t length_of(unsigned char first) {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

// Overlong forms, surrogates and what is beyond U+10FFFF are no UTF-8.
bool may_follow(unsigned char first, size_t index, unsigned char byte) {
  unsigned char low = 0x80, high = 0xbf;
  if (index == 1) {
    if (first == 0xe0) low = 0xa0;
    if (first == 0xed) high = 0x9f;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;
  }
  return byte >= low && byte <= high;
}

bool is_plain(char character) {
  return character == '\t' || (character >= 0x20 && character < 0x7f);
}

size_t count_plain(const char* data, size_t size) {
  size_t count = 0;
  while (count < size && is_plain(data[count])) ++count;
  return count;
}

}  // namespace

// What a log takes in one piece, with its header and the marks: 8 KiB of
// rsyslog, and 1 KiB of musl's syslog(3).
#ifdef __GLIBC__
const size_t Lines::kPiece = 8000;
#else
const size_t Lines::kPiece = 900;
#endif

void Lines::feed(const char* data, size_t size) noexcept {
  for (size_t i = 0; i < size;) {
    const size_t plain =
        cr_ || held_size_ > 0 ? 0 : count_plain(data + i, size - i);
    if (plain > 0) {
      begun_ = true;
      put_plain(data + i, plain);
      i += plain;
    } else {
      take(static_cast<unsigned char>(data[i++]));
    }
  }
}

void Lines::end() noexcept {
  if (begun_) finish_line();
}

void Lines::drop() noexcept {
  line_.clear();
  held_size_ = 0;
  begun_ = cr_ = false;
}

void Lines::take(unsigned char byte) noexcept {
  if (held_size_ > 0) {
    if (may_follow(held_[0], held_size_, byte)) {
      held_[held_size_++] = byte;
      if (held_size_ == needed_) finish_character();
      return;
    }
    escape_held();
  }
  if (byte == '\n') return finish_line();
  begun_ = true;
  if (cr_) escape("\\x", '\r');
  cr_ = byte == '\r';
  if (cr_) return;
  needed_ = length_of(byte);
  if (needed_ > 0) {
    held_[held_size_++] = byte;
  } else if (is_plain(static_cast<char>(byte))) {
    const char character = static_cast<char>(byte);
    put(&character, 1);
  } else if (byte == 0) {
    put("\\0", 2);
  } else {
    escape("\\x", byte);
  }
}

void Lines::finish_character() noexcept {
  // U+0080 to U+009F are control characters as well.
  if (held_[0] == 0xc2 && held_[1] < 0xa0)
    escape("\\u00", held_[1]);
  else
    put(reinterpret_cast<const char*>(held_), held_size_);
  held_size_ = 0;
}

void Lines::escape_held() noexcept {
  for (size_t i = 0; i < held_size_; ++i) escape("\\x", held_[i]);
  held_size_ = 0;
}

void Lines::escape(const char* prefix, unsigned char byte) noexcept {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text = prefix;
  text += kDigits[byte >> 4];
  text += kDigits[byte & 15];
  put(text.data(), text.size());
}

// What stays together: a character, or an escape.
void Lines::put(const char* text, size_t size) noexcept {
  if (line_.size() + size > piece_) {
    line_ += kMark;
    send();
    line_ = kMark;
  }
  line_.append(text, size);
}

void Lines::put_plain(const char* text, size_t size) noexcept {
  while (line_.size() + size > piece_) {
    const size_t fits = line_.size() < piece_ ? piece_ - line_.size() : 0;
    line_.append(text, fits);
    line_ += kMark;
    send();
    line_ = kMark;
    text += fits;
    size -= fits;
  }
  line_.append(text, size);
}

void Lines::finish_line() noexcept {
  escape_held();
  send();
  drop();
}

void Lines::send() noexcept {
  if (send_to_ != nullptr)
    send_to_(to_, priority_, line_);
  else
    send_(priority_, line_);
}

}  // namespace posix
