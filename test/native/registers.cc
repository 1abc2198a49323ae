// What a thread has in its registers when it is stopped in the middle of a
// computation.
#include "registers.h"

#include "check.h"

using check::Worker;

namespace {

uint32_t stop = 0;
Worker spinners[2];

}  // namespace

CASE(computing, "a computing thread keeps every register it has") {
  for (int i = 0; i < 2; ++i) {
    spinners[i].start(
        [](Worker& self) {
          self.ready();
          const uint64_t seed =
              0x0123456789abcdef * (uint64_t)(self.number + 1);
          EQUAL(registers::spin(seed, &stop), 0);
        },
        nullptr, i);
    spinners[i].await_ready();
  }
  for (int round = 0; round < 20; ++round) {
    const long child = check::fork_now();
    if (child == 0) {
      __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
      for (Worker& each : spinners) each.join();
      check::leave_well();
    }
    check::await_child(child);
  }
  __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
  for (Worker& each : spinners) each.join();
}

CASE(rounding, "a thread's rounding mode stays its own") {
  static Worker rounding;
  rounding.start(
      [](Worker& self) {
        registers::set_floating_point_control(registers::other_control());
        volatile double one = 1, three = 3;
        const double third = one / three;
        self.ready();
        self.await();
        EQUAL(registers::floating_point_control(), registers::other_control());
        CHECK(one / three == third);
      },
      nullptr);
  rounding.await_ready();
  static const uint64_t own = registers::floating_point_control();
  CHECK(own != registers::other_control());
  check::in_each_generation([] {
    EQUAL(registers::floating_point_control(), own);
    rounding.go();
    rounding.join();
  });
}
