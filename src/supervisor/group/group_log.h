// What a group's log says of its workers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scoreboard/death.h"
#include "supervisor/group/group_setup.h"
#include "supervisor/group/living_workers.h"

namespace pyhost::supervisor {

// How an end is logged.
struct EndRecord {
  base::LogLevel level;
  base::Message message;

  bool operator==(const EndRecord&) const = default;
};

// Of a worker that had been ready.
EndRecord record_of_end(const LastState& last, const scoreboard::Death& death) noexcept;

// Why a worker could not start: its own sentence if it has said one, or how it ended and where.
std::string why_it_could_not_start(const LivingWorker& worker, const scoreboard::Death& death);

// Labels and sentences; the setup outlives it.
class GroupLog {
 public:
  explicit GroupLog(const GroupSetup& setup) noexcept : setup_(setup) {}

  // --- A worker ---

  void started(const LivingWorker& worker) const;
  void ready(const LivingWorker& worker) const;
  void ended(const LivingWorker& worker, const LastState& last,
             const scoreboard::Death& death) const;
  void could_not_start(const LivingWorker& worker, base::LogLevel level,
                       std::string_view why) const;
  // `why`: "restart-interval", "/srv/site.wsgi has changed".
  void is_to_be_replaced(const LivingWorker& worker, std::string_view why) const;
  // `what`: "runs, but has accepted no connection for 5 s"; `fate`: "replaced".
  void serves_no_more(const LivingWorker& worker, std::string_view what,
                      std::string_view fate) const;
  void does_not_obey(const LivingWorker& worker) const;
  // It is kept for scripts that its successor could not import.
  void keeps_scripts(const LivingWorker& worker, const std::vector<std::string>& reasons) const;

  // --- The group ---

  // No process came to be.
  void start_failed(std::string_view why, base::Milliseconds pause) const;
  // It goes on with the code it has; `changed` is the file whose change waits, or "".
  void goes_on(std::string_view changed, std::string_view why) const;
  void socket_remade(std::string_view path) const;
  void sockets_missing(std::string_view why) const;
  // Something that should not happen.
  void stuck(std::string_view why) const;

 private:
  std::string label(const LivingWorker& worker) const;
  std::string with_place(std::string sentence) const;
  const std::string& name() const noexcept { return setup_.options().name; }
  void log(base::LogLevel level, base::Message message, std::string_view text) const {
    setup_.log->log(level, message, text);
  }

  const GroupSetup& setup_;
};

}  // namespace pyhost::supervisor
