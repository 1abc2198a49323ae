#include "log_entry.h"

#include <cstdlib>

namespace posix {

LogEntry* LogEntry::make(size_t size) noexcept {
  auto* entry =
      static_cast<LogEntry*>(std::malloc(sizeof(LogEntry) + size + 1));
  if (entry == nullptr) return nullptr;
  *entry = {};
  entry->size = static_cast<uint32_t>(size);
  entry->data()[size] = '\0';
  return entry;
}

void LogEntry::free(LogEntry* entry) noexcept { std::free(entry); }

void LogEntries::push(LogEntry* entry) {
  entry->next = nullptr;
  if (last_ != nullptr)
    last_->next = entry;
  else
    first_ = entry;
  last_ = entry;
}

void LogEntries::push_first(LogEntry* entry) {
  entry->next = first_;
  first_ = entry;
  if (last_ == nullptr) last_ = entry;
}

LogEntry* LogEntries::pop() {
  LogEntry* entry = first_;
  if (entry == nullptr) return nullptr;
  first_ = entry->next;
  if (first_ == nullptr) last_ = nullptr;
  entry->next = nullptr;
  return entry;
}

void LogEntries::prepend(LogEntries& others) {
  if (others.empty()) return;
  others.last_->next = first_;
  if (last_ == nullptr) last_ = others.last_;
  first_ = others.first_;
  others = {};
}

}  // namespace posix
