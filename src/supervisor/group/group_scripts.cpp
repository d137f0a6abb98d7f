#include "supervisor/group/group_scripts.h"

#include <algorithm>
#include <utility>

namespace pyhost::supervisor {

void GroupScripts::note_import(const gateway::Script& import) {
  const auto known = std::ranges::find_if(imports_, [&import](const gateway::Script& each) {
    // A module's callables are several imports, a file has one.
    return script_key(each) == script_key(import) &&
           (import.kind == gateway::TargetKind::file || each.callable == import.callable);
  });
  failures_.erase(script_key(import));
  if (known != imports_.end()) {
    *known = import;
  } else if (imports_.size() < kScriptsMax) {
    imports_.push_back(import);
  }
}

void GroupScripts::note_failure(const gateway::Script& script, std::string why,
                                std::int64_t now_us) {
  const std::uint64_t key = script_key(script);
  const auto known = failures_.find(key);
  if (known != failures_.end()) {
    known->second.why = std::move(why);
  } else if (failures_.size() < kScriptsMax) {
    failures_[key] = {.script = script, .why = std::move(why), .since_us = now_us};
  }
}

ScriptKeys GroupScripts::keys_of(const std::string& file) const {
  ScriptKeys keys;
  for (const gateway::Script& import : imports_) {
    if (import.script == file) keys.insert(script_key(import));
  }
  for (const auto& [key, failure] : failures_) {
    if (failure.script.script == file) keys.insert(key);
  }
  return keys;
}

base::TimePoint GroupScripts::note_change(const std::string& script, const base::FileIdentity& file,
                                          base::TimePoint worker_started, base::TimePoint now) {
  if (versions_.size() >= kScriptsMax && !versions_.contains(script)) versions_.clear();
  Version& version = versions_[script];
  // A worker that was started since has this version, and means something else.
  const bool met_before = version.file == file && worker_started < version.met_at;
  if (!met_before) version = {.file = file, .met_at = now};
  return version.met_at;
}

std::optional<base::TimePoint> GroupScripts::met_at(const std::string& script,
                                                    const base::FileIdentity& file) const {
  const auto version = versions_.find(script);
  const bool is_met =
      version != versions_.end() && file != base::kNoFile && version->second.file == file;
  return is_met ? std::optional(version->second.met_at) : std::nullopt;
}

}  // namespace pyhost::supervisor
