// What a worker says of its start, over its status socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/worker_settings.h"
#include "os/line_reader.h"

namespace pyhost::control {

// One line: {"step":"..."}, {"ready":true}, {"failed":"sentence"}, {"relieve":"reason"},
// {"draining":"reason"}, {"alive":true},
// {"outdated":"script","file":[device,inode,bytes,modified_us,changed_us]},
// {"imported":["application group","script","callable"]}, as in control::Preload,
// {"lacks":[the same],"why":"sentence"}, {"import_again":[the same]}, {"asks":true} or
// {"keeping":true}.
struct StatusReport {
  enum class Kind {
    step,
    ready,
    failed,
    relieve,       // it wants a successor, and serves until it is told to end
    draining,      // it serves nobody any more and is about to end
    alive,         // it answers
    outdated,      // it serves nobody until it is put back: a script has changed
    imported,      // a script
    lacks,         // a script, which it could not import
    import_again,  // one of those is wanted
    asks,          // it could not import all that it was to, and waits for whether it may serve
    keeping,       // it has become a keeper
  };
  Kind kind;
  std::string text;  // the step, the sentence, the reason or the script; with lacks, why
  control::Preload import;
  base::FileIdentity file = {};  // with outdated: which the script is now

  bool operator==(const StatusReport&) const = default;
};

// Nothing for a line that is no report.
std::optional<StatusReport> parse_status(std::string_view line);

// What is no report is dropped: a worker runs the code of applications and is not trusted.
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
