// The processes behind a group's Keepers.
#pragma once

#include <vector>

#include "control/end_reason.h"
#include "supervisor/group/group_parts.h"
#include "supervisor/group/keepers.h"

namespace pyhost::supervisor {

// Carries out what Keepers decide: workers that are kept beside the worker of their slot, each at a
// socket and in a row of the scoreboard of its own. Single-threaded.
class KeptWorkers {
 public:
  explicit KeptWorkers(const GroupParts& parts) noexcept : parts_(parts) {}

  Keepers& keepers() noexcept { return keepers_; }
  const Keepers& keepers() const noexcept { return keepers_; }
  bool has(pid_t pid) const noexcept { return keepers_.find_or_null(pid) != nullptr; }

  // The row of the scoreboard that a worker of the group is in, be it a keeper or not.
  unsigned row_of(const LivingWorker& worker) const noexcept;
  // Where it listens.
  const std::string& socket_path_of(const LivingWorker& worker) const;

  // Behind a restart: ends those of slots that are not wanted any more, and clears what a
  // supervisor that was killed has left on the scoreboard.
  void adopt();
  // Asks the worker that serves the slot of this successor to keep these scripts; it answers with
  // "keeping". False when it cannot be asked.
  bool ask(const ScriptKeys& scripts, const LivingWorker& successor);
  // The worker has answered. False when it was not asked. `reasons` say why its successor could not
  // import what it keeps.
  bool settle(LivingWorker& worker, const std::vector<std::string>& reasons);
  // Those that have one of these scripts go on without what has changed up to then.
  void put_back(const ScriptKeys& scripts, std::int64_t successor_started_us);
  // One has begun to drain by itself. Nobody could take its place, so it goes on over its limits.
  void draining(LivingWorker& worker, control::EndReason why);

  // Does what is due, with the signal that tells a worker to end. The slots where a worker did not
  // do as it was asked, so that its successor cannot take over.
  std::vector<unsigned> advance(int signal);

 private:
  void carry_out(const Order& order, int signal);

  const GroupParts parts_;
  Keepers keepers_;
};

}  // namespace pyhost::supervisor
