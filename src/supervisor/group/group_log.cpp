#include "supervisor/group/group_log.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pyhost::supervisor {

using base::LogLevel;
using base::Message;
using scoreboard::Death;

EndRecord record_of_end(const LastState& last, const Death& death) noexcept {
  if (is_limit(death.cause)) return {LogLevel::error, Message::generation_ended};
  if (last.killed == KillReason::drain_timeout) {
    return {LogLevel::error, Message::generation_killed};
  }
  if (last.state == SlotState::draining || is_orderly(death)) {
    return {LogLevel::info, Message::generation_ended};
  }
  return {LogLevel::error, Message::generation_died};
}

std::string why_it_could_not_start(const LivingWorker& worker, const Death& death) {
  if (!worker.failure.empty()) return worker.failure;
  const std::string step =
      worker.last_step ? fmt::format(" at the step '{}'", name_of(*worker.last_step)) : "";
  return fmt::format("it {}{}", describe(death), step);
}

std::string GroupLog::label(const LivingWorker& worker) const {
  return fmt::format("worker {} of process group '{}' (pid {}, generation {})", worker.place.slot,
                     name(), worker.pid, worker.place.generation);
}

// What may be mended where the group is defined.
std::string GroupLog::with_place(std::string sentence) const {
  const std::string& place = setup_.wanted.place;
  return place.empty() ? sentence : fmt::format("{} ({})", sentence, place);
}

void GroupLog::started(const LivingWorker& worker) const {
  log(LogLevel::info, Message::generation_started, fmt::format("{} started", label(worker)));
}

void GroupLog::ready(const LivingWorker& worker) const {
  log(LogLevel::info, Message::generation_ready,
      fmt::format("{} is ready with {}", label(worker), places_text(setup_.options())));
}

void GroupLog::ended(const LivingWorker& worker, const LastState& last, const Death& death) const {
  const EndRecord record = record_of_end(last, death);
  log(record.level, record.message, fmt::format("{} {}", label(worker), describe(death)));
}

void GroupLog::could_not_start(const LivingWorker& worker, LogLevel level,
                               std::string_view why) const {
  log(level, Message::generation_failed,
      with_place(fmt::format("{} could not start: {}", label(worker), why)));
}

void GroupLog::is_to_be_replaced(const LivingWorker& worker, std::string_view why) const {
  log(LogLevel::info, Message::generation_relieved,
      fmt::format("{} is to be replaced: {}", label(worker), why));
}

void GroupLog::serves_no_more(const LivingWorker& worker, std::string_view what,
                              std::string_view fate) const {
  log(LogLevel::error, Message::generation_silent,
      fmt::format("{} {}; it is {}", label(worker), what, fate));
}

void GroupLog::does_not_obey(const LivingWorker& worker) const {
  log(LogLevel::error, Message::supervisor_stuck,
      fmt::format("{} does not obey its orders", label(worker)));
}

void GroupLog::keeps_scripts(const LivingWorker& worker,
                             const std::vector<std::string>& reasons) const {
  log(LogLevel::error, Message::scripts_kept,
      fmt::format("{} is kept for what its successor could not import: {}; all else of process "
                  "group '{}' is new",
                  label(worker), fmt::join(reasons, "; "), name()));
}

void GroupLog::start_failed(std::string_view why, base::Milliseconds pause) const {
  log(LogLevel::error, Message::generation_failed,
      with_place(fmt::format("{}; next try in {} s", why, pause.count() / 1000)));
}

void GroupLog::goes_on(std::string_view changed, std::string_view why) const {
  // What keeps the successors from starting may be another script than the one that was changed.
  const std::string waits =
      changed.empty() ? "" : fmt::format(", and the change of {} waits", changed);
  log(LogLevel::error, Message::generation_kept,
      fmt::format("process group '{}' goes on with the code it has{}: {}; it is tried again when a "
                  "script changes or httpd is restarted",
                  name(), waits, why));
}

void GroupLog::socket_remade(std::string_view path) const {
  log(LogLevel::warn, Message::socket_remade,
      fmt::format("process group '{}': {} was gone and has been made again", name(), path));
}

void GroupLog::sockets_missing(std::string_view why) const {
  stuck(fmt::format("process group '{}': {}", name(), why));
}

void GroupLog::stuck(std::string_view why) const {
  log(LogLevel::error, Message::supervisor_stuck, why);
}

}  // namespace pyhost::supervisor
