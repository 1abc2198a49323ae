#include "forkall/fdinfo.h"

#include <string.h>

namespace forkall {

long read_fdinfo(int fd, char* text, size_t size) {
  char path[kProcPath];
  proc_path(path, "/proc/self/fdinfo/", fd, "");
  return read_file(path, text, size);
}

bool next_field(const char*& text, const char* key, uint32_t base,
                uint64_t* value) {
  const char* at = strstr(text, key);
  if (!at) return false;
  at += strlen(key);
  while (*at == ' ' || *at == '\t' || *at == '(') ++at;
  for (*value = 0;; ++at) {
    uint32_t digit = *at >= '0' && *at <= '9'   ? (uint32_t)(*at - '0')
                     : *at >= 'a' && *at <= 'f' ? (uint32_t)(*at - 'a' + 10)
                                                : base;
    if (digit >= base) break;
    *value = *value * base + digit;
  }
  text = at;
  return true;
}

uint64_t field(const char* text, const char* key, uint32_t base) {
  uint64_t value = 0;
  next_field(text, key, base, &value);
  return value;
}

}  // namespace forkall
