// What the parts of a worker group have in common.
#pragma once

#include "supervisor/group/group_life.h"
#include "supervisor/group/group_log.h"
#include "supervisor/group/group_setup.h"
#include "supervisor/group/group_sockets.h"
#include "supervisor/group/living_workers.h"
#include "supervisor/group/slot_rows.h"
#include "supervisor/group/worker_counts.h"

namespace pyhost::supervisor {

// References to what a group owns, for those of its parts that work on it; all of it outlives them.
struct GroupParts {
  const GroupSetup& setup;
  GroupLife& life;
  LivingWorkers& workers;
  const GroupSockets& sockets;
  const SlotRows& rows;
  const GroupLog& log;
  WorkerCounts& counts;

  scoreboard::Scoreboard& board() const noexcept { return *setup.scoreboard; }
  // The worker that serves the slot, or stands by in it.
  LivingWorker* serving_or_null(unsigned slot) const {
    const auto pid = life.slot(slot).serving();
    return pid ? &workers.at(*pid) : nullptr;
  }
};

}  // namespace pyhost::supervisor
