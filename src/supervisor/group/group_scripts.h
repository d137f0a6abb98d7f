// What a group's workers have said of its scripts.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "control/worker_settings.h"
#include "pyhost/base/file_identity.h"
#include "supervisor/group/deploy_verdict.h"
#include "supervisor/group/slot_life.h"

namespace pyhost::supervisor {

// Not synchronised, and without a clock of its own. What workers say is not trusted: it takes a
// bounded place.
class GroupScripts {
 public:
  // Of more scripts nothing is known: the first requests import them.
  static constexpr std::size_t kScriptsMax = 200;

  // A worker has imported it, so its successor is to do so before it is ready.
  void note_import(const gateway::Script& import);
  // Of all workers that there were.
  const std::vector<gateway::Script>& imports() const noexcept { return imports_; }
  // A worker could not import it. That it ever can is not known.
  void note_failure(const gateway::Script& script, std::string why, std::int64_t now_us);

  // The last word of any worker on a script: the import that has failed since the last one that was
  // successful.
  struct Failure {
    gateway::Script script;
    std::string why;
    std::int64_t since_us = 0;  // since the epoch
  };
  const std::map<std::uint64_t, Failure>& failures() const noexcept { return failures_; }

  // The keys of a file in all application groups that are known to run it.
  ScriptKeys keys_of(const std::string& file) const;

  // A worker has found that a script is no longer what it has imported, but `file`. Since when
  // workers that are started have this version: since one has met it first. (No time of a file says
  // when it has come to its place.)
  base::TimePoint note_change(const std::string& script, const base::FileIdentity& file,
                              base::TimePoint worker_started, base::TimePoint now);
  // Since when, if that is the version that workers have met last.
  std::optional<base::TimePoint> met_at(const std::string& script,
                                        const base::FileIdentity& file) const;

 private:
  struct Version {
    base::FileIdentity file;
    base::TimePoint met_at{};
  };

  std::vector<gateway::Script> imports_;
  std::map<std::uint64_t, Failure> failures_;  // by script_key()
  std::map<std::string, Version> versions_;    // the last that was met, by script
};

}  // namespace pyhost::supervisor
