#include "forkall/late.h"

#include <string.h>

#include "forkall/atomics.h"

namespace forkall::late {

namespace {
int tids[1024];
}

void add(int tid) {
  for (int& place : tids)
    if (change(place, 0, tid)) return;
}

bool remove(int tid) {
  for (int& place : tids)
    if (change(place, tid, 0)) return true;
  return false;
}

bool any() {
  for (const int& place : tids)
    if (load(place)) return true;
  return false;
}

void forget() { memset(tids, 0, sizeof tids); }

}  // namespace forkall::late
