// What a worker tells the supervisor, over its status socket: one line of JSON for each report.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/end_reason.h"
#include "os/line_reader.h"
#include "pyhost/base/file_identity.h"
#include "pyhost/gateway/target.h"

namespace pyhost::control {

// The steps of a worker's start.
enum class StartStep { python, preload };

// "preload".
std::string_view name_of(StartStep step) noexcept;

struct StatusReport {
  enum class Kind {
    step,          // it has begun that step of its start
    ready,         // it serves
    failed,        // it cannot start and is about to end with code 1; the same in every build
    relieve,       // it wants a successor, and serves until it is told to end
    draining,      // it serves nobody any more and is about to end
    alive,         // it answers WorkerOrder::Kind::show_life
    outdated,      // it serves nobody until it is put back: a script has changed
    imported,      // a script, which a successor is to import as well
    lacks,         // a script, which it could not import
    import_again,  // one of those is wanted
    asks,          // it could not import all that it was to, and waits for whether it may serve
    keeping,  // it has become a keeper: it serves what it was ordered to keep, and nothing else
  };
  Kind kind{};
  std::string text = {};         // failed: a sentence; outdated: the script; lacks: why
  StartStep step{};              // step
  EndReason reason{};            // relieve, draining
  gateway::Script script = {};   // imported, lacks, import_again
  base::FileIdentity file = {};  // outdated: which the script is now

  bool operator==(const StatusReport&) const = default;
};

// A line without its end, and the way back: nothing for a line that is no report.
std::string to_json(const StatusReport& report);
std::optional<StatusReport> parse_status(std::string_view line);

// The worker's side. False when there is no supervisor that could hear it, which is noticed
// elsewhere.
bool report(const StatusReport& report);
inline bool report(StatusReport::Kind kind) {
  return report(StatusReport{.kind = kind});
}
bool report_failure(std::string_view sentence);

// The supervisor's side. What is no report is dropped: a worker runs the code of applications and
// is not trusted.
class StatusReader {
 public:
  explicit StatusReader(base::UniqueFd socket) noexcept : lines_(std::move(socket)) {}

  int fd() const noexcept { return lines_.fd(); }

  // The reports that have come since the last call; never blocks if the descriptor does not.
  std::vector<StatusReport> read();

  // Whether the other end has been closed and everything was read.
  bool at_end() const noexcept { return lines_.at_end(); }

 private:
  os::LineReader lines_;
};

}  // namespace pyhost::control
