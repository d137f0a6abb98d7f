#include "supervisor/group_scripts.h"

#include <algorithm>

namespace pyhost::supervisor {

void GroupScripts::note_import(const gateway::Preload& import) {
  const auto known = std::ranges::find_if(imports_, [&import](const gateway::Preload& each) {
    return each.application_group == import.application_group && each.script == import.script;
  });
  if (known != imports_.end()) {
    *known = import;
  } else if (imports_.size() < kScriptsMax) {
    imports_.push_back(import);
  }
}

TimePoint GroupScripts::note_change(const std::string& script, const base::FileIdentity& file,
                                    TimePoint worker_started, TimePoint now) {
  if (versions_.size() >= kScriptsMax && !versions_.contains(script)) versions_.clear();
  Version& version = versions_[script];
  // A worker that was started since has this version, and means something else.
  const bool met_before = version.file == file && worker_started < version.met_at;
  if (!met_before) version = {.file = file, .met_at = now};
  return version.met_at;
}

}  // namespace pyhost::supervisor
