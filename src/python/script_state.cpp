#include "python/script_state.h"

#include <algorithm>
#include <utility>

namespace pyhost::python {

using gateway::ChangedScripts;
using Step = ScriptState::Step;
using namespace std::chrono_literals;

namespace {

constexpr std::chrono::seconds kFirstPause = 1s;
constexpr std::chrono::seconds kLongestPause = 30s;

}  // namespace

Step ScriptState::next(ChangedScripts changed, const Wanted& wanted, base::TimePoint now) {
  if (importing_) return Step::wait;
  const bool heeds_change = wanted.reloading && !is_unchanged(wanted.file);
  if (has_module() && !heeds_change) {
    return is_to_be_asked(changed, wanted) ? Step::ask : Step::reuse;
  }
  if (changed == ChangedScripts::refused && (has_module() || failure_)) {
    return heeds_change ? Step::look : Step::settle;
  }
  const bool failed_just_now =
      failure_ && failure_->file == wanted.file && now < failure_->retry_at;
  return failed_just_now ? Step::back_off : begin_import();
}

Step ScriptState::begin_import() noexcept {
  importing_ = true;
  return Step::import;
}

// Where a yes replaces the process, each import serves a request first, and after an import in vain
// by a successor only a change of the file counts: one that always says yes would keep requests
// from ever being served.
bool ScriptState::is_to_be_asked(ChangedScripts changed, const Wanted& wanted) noexcept {
  if (!wanted.reloading || !asks_) return false;
  const bool first_use = !std::exchange(used_, true);
  const bool in_vain = wanted.accepted_until_us >= imported_us_;
  return changed == ChangedScripts::reimported || (!first_use && !in_vain);
}

Step ScriptState::reload(ChangedScripts changed, std::uint64_t import_number) {
  if (changed == ChangedScripts::refused) return Step::outdated;
  if (importing_ || import_number != import_number_) return Step::wait;
  return begin_import();
}

// For each moment once: after that any other change counts, whenever a clock that may have been set
// back says that it was made.
bool ScriptState::has_changed(const base::FileIdentity& file, std::int64_t changed_us,
                              std::int64_t accepted_until_us) {
  if (file == file_) return false;
  const bool changed = accepted_until_us_ == accepted_until_us ? accepted_file_ != file
                                                               : changed_us > accepted_until_us;
  if (changed) return true;
  accepted_file_ = file;
  accepted_until_us_ = accepted_until_us;
  return false;
}

void ScriptState::imported(const Wanted& wanted, bool asks, std::int64_t now_us) {
  importing_ = false;
  ++imports_;
  import_number_ = imports_;
  file_ = wanted.file;
  failure_.reset();
  asks_ = asks;
  used_ = wanted.reloading;
  imported_us_ = now_us;
}

std::string ScriptState::failed(const Wanted& wanted, const std::string& summary,
                                base::TimePoint now) {
  importing_ = false;
  import_number_ = 0;
  file_ = wanted.file;
  asks_ = false;
  const bool same_file = failure_ && failure_->file == wanted.file;
  const auto pause = same_file ? std::min(failure_->pause * 2, kLongestPause) : kFirstPause;
  std::string first_failure;
  if (same_file && failure_->summary != summary) first_failure = failure_->summary;
  failure_ =
      Failure{first_failure.empty() ? summary : first_failure, wanted.file, now + pause, pause};
  return first_failure;
}

}  // namespace pyhost::python
