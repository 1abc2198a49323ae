// A line for the terminal, put together without the C library.
#pragma once

#include <signal.h>
#include <stddef.h>

namespace forkall {

struct Text {
  char bytes[256];
  size_t length = 0;

  Text& add(const char* text) {
    while (*text && length < sizeof bytes) bytes[length++] = *text++;
    return *this;
  }

  Text& add(long number) {
    char digits[24];
    size_t count = 0;
    do digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0 && length < sizeof bytes)
      bytes[length++] = digits[--count];
    return *this;
  }

  Text& add_signal(int signal) {
    switch (signal) {
      case SIGHUP:
        return add("SIGHUP");
      case SIGINT:
        return add("SIGINT");
      case SIGQUIT:
        return add("SIGQUIT");
      case SIGILL:
        return add("SIGILL");
      case SIGTRAP:
        return add("SIGTRAP");
      case SIGABRT:
        return add("SIGABRT");
      case SIGBUS:
        return add("SIGBUS");
      case SIGFPE:
        return add("SIGFPE");
      case SIGKILL:
        return add("SIGKILL");
      case SIGSEGV:
        return add("SIGSEGV");
      case SIGPIPE:
        return add("SIGPIPE");
      case SIGALRM:
        return add("SIGALRM");
      case SIGTERM:
        return add("SIGTERM");
      case SIGXCPU:
        return add("SIGXCPU");
      case SIGXFSZ:
        return add("SIGXFSZ");
      case SIGSYS:
        return add("SIGSYS");
      default:
        return add("signal ").add((long)signal);
    }
  }
};

}  // namespace forkall
