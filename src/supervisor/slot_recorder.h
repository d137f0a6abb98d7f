// Where the state of the slots is made known to httpd's children.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "metrics/scoreboard.h"
#include "supervisor/death.h"

namespace pyhost::supervisor {

struct SlotPosition {
  unsigned group;  // the index that the configuration gave the group
  unsigned slot;

  bool operator==(const SlotPosition&) const = default;
};

// Called by the supervisor's one thread. What is recorded is seen by other processes at once: a
// death is recorded before the next worker of the slot starts.
class SlotRecorder {
 public:
  virtual ~SlotRecorder() = default;

  // Whether the position can be recorded.
  virtual bool has(SlotPosition position) const noexcept = 0;
  // Of the last worker that the slot has stood for; 0 when there was none.
  virtual unsigned last_generation(SlotPosition position) const noexcept = 0;
  // From now on the slot stands for this worker. While an older one still serves, its successor
  // takes the slot over when it is ready, not when it starts.
  virtual void take_over(SlotPosition position, pid_t pid, unsigned generation,
                         unsigned threads) noexcept = 0;
  virtual void set_state(SlotPosition position, SlotState state) noexcept = 0;
  // The worker of the slot goes on because its successor, started at that moment (microseconds
  // since the epoch), could not start.
  virtual void keep_generation(SlotPosition position,
                               std::int64_t successor_started_us) noexcept = 0;
  // Whether an operator has stopped the group: httpd's children then send it nothing.
  virtual void stop_group(unsigned group) noexcept = 0;
  virtual void start_group(unsigned group) noexcept = 0;
  virtual bool is_stopped(unsigned group) const noexcept = 0;
  virtual metrics::SlotStatus status(SlotPosition position) const noexcept = 0;
  // Requests that wait for a worker of the group.
  virtual unsigned waiting(unsigned group) const noexcept = 0;
  // A worker of the slot has ended, perhaps not the one that the slot stands for.
  virtual void record_death(SlotPosition position, pid_t pid, unsigned generation,
                            const Death& death) noexcept = 0;
};

}  // namespace pyhost::supervisor
