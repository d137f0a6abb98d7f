#include "supervisor/group/import_retries.h"

#include <algorithm>

namespace pyhost::supervisor {

void ImportRetries::note_wanted(std::uint64_t script, base::TimePoint now) {
  if (const auto known = scripts_.find(script); known != scripts_.end()) {
    known->second.wanted = true;
  } else if (scripts_.size() < kScriptsMax) {
    scripts_[script] = {.not_before = now + kShortestBackOff};
  }
}

void ImportRetries::note_failed_retry(std::uint64_t script, bool wanted, base::TimePoint now) {
  const auto known = scripts_.find(script);
  if (known == scripts_.end()) return;
  Retry& retry = known->second;
  retry.pause = std::min(2 * retry.pause, kLongestBackOff);
  retry.not_before = now + retry.pause;
  retry.wanted = wanted;
}

ScriptKeys ImportRetries::required_in(unsigned slot) const {
  return attempt_ && attempt_->slot == slot ? ScriptKeys{attempt_->script} : ScriptKeys();
}

std::optional<std::uint64_t> ImportRetries::end_in_vain(unsigned slot,
                                                        const ScriptKeys& required) noexcept {
  if (!attempt_ || attempt_->slot != slot || !required.contains(attempt_->script)) {
    return std::nullopt;
  }
  const std::uint64_t script = attempt_->script;
  attempt_.reset();
  return script;
}

void ImportRetries::end_well(const ScriptKeys& required) noexcept {
  if (required.empty()) return;
  attempt_.reset();
  for (const std::uint64_t script : required) forget(script);
}

std::optional<std::uint64_t> ImportRetries::due(base::TimePoint now) const noexcept {
  const auto found = std::ranges::find_if(scripts_, [now](const auto& each) {
    return each.second.wanted && now >= each.second.not_before;
  });
  return found == scripts_.end() ? std::nullopt : std::optional(found->first);
}

std::optional<base::TimePoint> ImportRetries::next_deadline() const noexcept {
  std::optional<base::TimePoint> next;
  for (const auto& [script, retry] : scripts_) {
    if (retry.wanted) next = base::earliest(next, retry.not_before);
  }
  return next;
}

}  // namespace pyhost::supervisor
