// When scripts that could not be imported are tried again.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "supervisor/group/deploy_verdict.h"
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

  // --- The attempt that is under way: a worker is started in a slot to have a script ---

  // PRECONDITION: none is.
  void begin(unsigned slot, std::uint64_t script) { attempt_ = {slot, script}; }
  bool under_way() const noexcept { return attempt_.has_value(); }
  // What the next worker of the slot is started for; nothing when that is no attempt.
  ScriptKeys required_in(unsigned slot) const;
  // A worker of the slot that was started for these has not come to serve. Which script that was an
  // attempt at; it is over then. Nothing when it was none, so that something else has failed.
  std::optional<std::uint64_t> end_in_vain(unsigned slot, const ScriptKeys& required) noexcept;
  // A worker serves that was started for these.
  void end_well(const ScriptKeys& required) noexcept;
  // What has changed since is more than an attempt.
  void drop() noexcept { attempt_.reset(); }

  // --- When the next one is due ---

  // One whose time has come.
  std::optional<std::uint64_t> due(base::TimePoint now) const noexcept;
  std::optional<base::TimePoint> next_deadline() const noexcept;

 private:
  struct Retry {
    base::Milliseconds pause = kShortestBackOff;
    base::TimePoint not_before{};
    bool wanted = true;
  };

  struct Attempt {
    unsigned slot;
    std::uint64_t script;
  };

  std::map<std::uint64_t, Retry> scripts_;
  std::optional<Attempt> attempt_;
};

}  // namespace pyhost::supervisor
