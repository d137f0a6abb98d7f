// Whether a worker still serves, for as long as there is doubt. No processes, no descriptors.
#pragma once

#include "supervisor/group/slot_life.h"

namespace pyhost::supervisor {

// What can be seen of a worker that is ready.
struct WorkerSight {
  bool silent = false;      // a child of httpd has had no sign of life of it
  bool wanted = false;      // requests of its group have waited for long
  bool has_thread = false;  // that is not busy, and so can accept a connection
};

// Over one worker. Whoever owns it looks every kBetweenLooks and does what look() says.
//
// Time is counted in looks, so that a machine that stands still, or is so busy that the owner has
// no turn either, is not held against the worker.
class Vigil {
 public:
  static constexpr base::Milliseconds kBetweenLooks{250};
  // A process of which most is swapped out takes seconds to run again. One that is stopped costs
  // its group no request meanwhile, only a part of its threads.
  static constexpr base::Milliseconds kPatience{5'000};

  enum class Need {
    nothing,
    answer,         // ask it, unless that was done
    greeting,       // connect to it, unless that was done
    not_running,    // it has had its time, and did not answer; said once
    not_accepting,  // the same, and did not greet
  };
  Need look(const WorkerSight& sight) noexcept;

  // It has answered; what is needed then at once.
  Need answered(const WorkerSight& sight) noexcept;
  // It has greeted whoever connected.
  void greeted() noexcept;

  // Whether there is doubt, or no doubt any more that it does not serve.
  bool kept() const noexcept { return phase_ != Phase::off; }

 private:
  enum class Phase { off, asking, connecting, lost };

  Need enter(Phase phase, Need need) noexcept;

  Phase phase_ = Phase::off;
  unsigned looks_ = 0;  // in this phase
};

}  // namespace pyhost::supervisor
