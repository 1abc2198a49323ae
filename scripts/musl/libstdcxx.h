// Included before everything when the addon is built for musl with the g++ of
// a glibc system: its C++ headers believe what that glibc has.
#pragma once
#define __GLIBC_PREREQ(major, minor) 0
#include <locale.h>
#define __locale_t locale_t
#include <bits/c++config.h>
#undef _GLIBCXX_USE_PTHREAD_COND_CLOCKWAIT
#undef _GLIBCXX_USE_PTHREAD_MUTEX_CLOCKLOCK
#undef _GLIBCXX_USE_PTHREAD_RWLOCK_CLOCKLOCK
