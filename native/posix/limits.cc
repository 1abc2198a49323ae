#include "limits.h"

#include <sys/resource.h>

#include <limits>

#include "result.h"

namespace posix {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

#ifdef __GLIBC__
using Resource = __rlimit_resource_t;
#else
using Resource = int;
#endif

double number(rlim_t limit) {
  return limit == RLIM_INFINITY ? infinity : static_cast<double>(limit);
}

rlim_t limit(double number) {
  // 2^64: what is not less does not fit into rlim_t.
  return number < 18446744073709551616.0 ? static_cast<rlim_t>(number)
                                         : RLIM_INFINITY;
}

}  // namespace

std::array<double, 3> getrlimit(int resource) noexcept {
  struct rlimit limits = {};
  const int got = result(::getrlimit(static_cast<Resource>(resource), &limits));
  return {static_cast<double>(got), number(limits.rlim_cur),
          number(limits.rlim_max)};
}

int setrlimit(int resource, double soft, double hard) noexcept {
  struct rlimit limits;
  if (::getrlimit(static_cast<Resource>(resource), &limits) == -1)
    return result(-1);
  if (soft >= 0) limits.rlim_cur = limit(soft);
  if (hard >= 0) limits.rlim_max = limit(hard);
  return result(::setrlimit(static_cast<Resource>(resource), &limits));
}

}  // namespace posix
