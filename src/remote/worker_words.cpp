#include "remote/worker_words.h"

#include <fmt/format.h>

namespace pyhost::remote {
namespace {

// How long the supervisor may take to learn how a worker ended.
constexpr std::chrono::milliseconds kDeathPatience{3000};

}  // namespace

std::string name_of(const RemoteSettings& settings, const Worker& worker) {
  return fmt::format("process group '{}', slot {}, pid {}, generation {}", settings.group.name,
                     worker.slot / settings.rows_per_slot, worker.pid, worker.generation);
}

std::optional<scoreboard::Death> death_of(const scoreboard::Scoreboard& scoreboard,
                                          const Worker& worker, const Attempt& attempt) {
  if (attempt.kind != Attempt::Kind::lost) return std::nullopt;
  auto death = scoreboard.wait_for_death(worker.slot, worker.generation, kDeathPatience);
  if (death && death->generation != worker.generation) return std::nullopt;
  return death;
}

std::string cause_of(const Attempt& attempt, const std::optional<scoreboard::Death>& death) {
  return death ? "the worker " + scoreboard::describe(*death) : attempt.why;
}

}  // namespace pyhost::remote
