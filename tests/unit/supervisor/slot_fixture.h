// A slot whose clock and processes are the test's.
#pragma once

#include <gmock/gmock.h>

#include "supervisor/group/slot_life.h"

namespace pyhost::supervisor {

using namespace std::chrono_literals;

inline Order spawn(unsigned generation) {
  return {.kind = Order::Kind::spawn, .generation = generation};
}
inline Order terminate(pid_t pid, unsigned generation) {
  return {.kind = Order::Kind::terminate, .pid = pid, .generation = generation};
}
inline Order kill(pid_t pid, unsigned generation) {
  return {.kind = Order::Kind::kill, .pid = pid, .generation = generation};
}

class SlotFixture : public testing::Test {
 protected:
  auto step(Renewal renewal = Renewal::denied) { return slot.step(now, renewal); }

  // A worker that is ready, by the shortest way.
  void bring_up(pid_t pid) {
    ASSERT_EQ(step(Renewal::allowed).size(), 1u);
    slot.spawned(pid, now);
    slot.ready(pid, now);
    step();
  }

  // One failed start; returns how long the next one is put off.
  base::Milliseconds fail_start(pid_t pid) {
    EXPECT_EQ(step().size(), 1u);
    slot.spawned(pid, now);
    slot.ended(pid, now);
    EXPECT_THAT(step(), testing::IsEmpty());
    const auto next = slot.next_deadline();
    EXPECT_TRUE(next);
    const auto pause = std::chrono::duration_cast<base::Milliseconds>(*next - now);
    now = *next - 1ms;
    EXPECT_THAT(step(), testing::IsEmpty());
    now = *next;
    return pause;
  }

  base::TimePoint now{1000h};
  SlotLife slot{{.startup_max = 15s, .drain_max = 20s}};
};

}  // namespace pyhost::supervisor
