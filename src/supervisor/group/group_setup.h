// What a process group is set up with.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "appmetrics/memory.h"
#include "control/wanted_state.h"
#include "launch/listening_socket.h"
#include "launch/worker_start.h"
#include "scoreboard/scoreboard.h"
#include "supervisor/group/slot_life.h"
#include "supervisor/queued_log.h"

namespace pyhost::supervisor {

// Everything a group needs to start workers, checked: nothing in it is expected to fail.
struct GroupSetup {
  control::WantedGroup wanted;
  launch::WorkerPlan plan;
  launch::StartInputs inputs;      // what `plan` and the settings of workers are completed with
  std::shared_ptr<QueuedLog> log;  // groups may share it
  std::unique_ptr<scoreboard::Scoreboard> scoreboard;
  scoreboard::BoardFiles for_workers;  // of the same; the board is good for reading only
  // What the group's applications measure; nothing when it is turned off.
  struct Metrics {
    base::UniqueFd file;
    appmetrics::Memory memory;
  };
  std::optional<Metrics> metrics = {};
  std::vector<launch::ListeningSocket>
      sockets;  // of the slots that have none yet, the lowest first

  const settings::ProcessGroup& options() const noexcept { return wanted.options; }

  // Whether it is for what is wanted here.
  bool is_for(const control::WantedGroup& other) const;
  // Whether workers are started by it with these options and this plan, which has no environment
  // yet.
  bool starts_as(const settings::ProcessGroup& options, const launch::WorkerPlan& plan) const;
  // Whether nothing is different for workers that were started by the other one, and they are to
  // go on over a restart.
  bool keeps_workers_of(const GroupSetup& before) const;
};

// How long a group's workers may take to start and to end.
LifeLimits life_limits(const settings::ProcessGroup& group) noexcept;

}  // namespace pyhost::supervisor
