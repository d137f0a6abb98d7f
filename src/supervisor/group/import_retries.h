// When scripts that could not be imported are tried again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "supervisor/group/slot_life.h"

namespace pyhost::supervisor {

// A process never imports a script a second time, so another one does, after a pause that grows
// from kShortestBackOff to kLongestBackOff, if the script is still wanted then. Not synchronised,
// and without a clock of its own. What workers say is not trusted: it takes a bounded place.
class ImportRetries {
 public:
  static constexpr std::size_t kScriptsMax = 200;

  // A worker that serves could not import it, or a request for it has come in vain since.
  void note_wanted(std::uint64_t script, base::TimePoint now);
  // It was tried again in vain. `wanted`: it is to be tried once more, whether a request comes or
  // not.
  void note_failed_retry(std::uint64_t script, bool wanted, base::TimePoint now);
  // A worker has imported it, or nobody lacks it any more.
  void forget(std::uint64_t script) noexcept { scripts_.erase(script); }

  // One whose time has come.
  std::optional<std::uint64_t> due(base::TimePoint now) const noexcept;
  std::optional<base::TimePoint> next_deadline() const noexcept;

 private:
  struct Retry {
    base::Milliseconds pause = kShortestBackOff;
    base::TimePoint not_before{};
    bool wanted = true;
  };

  std::map<std::uint64_t, Retry> scripts_;
};

}  // namespace pyhost::supervisor
