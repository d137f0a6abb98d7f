#include "supervisor/group/deploy_verdict.h"

#include <algorithm>
#include <iterator>

namespace pyhost::supervisor {
namespace {

// One that has nothing at all is not worth a second process, whatever else it is for.
bool brings_something(const DeployCase& deploy) {
  const ScriptKeys mended = without(deploy.reasons.changed, deploy.lacks);
  return !mended.empty() || (deploy.reasons.others && !deploy.has.empty());
}

}  // namespace

bool have_common(const ScriptKeys& one, const ScriptKeys& other) noexcept {
  return std::ranges::any_of(one, [&other](std::uint64_t key) { return other.contains(key); });
}

ScriptKeys without(const ScriptKeys& these, const ScriptKeys& others) {
  ScriptKeys rest;
  std::ranges::set_difference(these, others, std::inserter(rest, rest.end()));
  return rest;
}

ScriptKeys common(const ScriptKeys& one, const ScriptKeys& other) {
  ScriptKeys both;
  std::ranges::set_intersection(one, other, std::inserter(both, both.end()));
  return both;
}

DeployVerdict judge(const DeployCase& deploy) {
  const DeployVerdict serves{.serves = true, .kept = {}};
  if (!deploy.has_predecessor) return serves;
  if (have_common(deploy.lacks, deploy.required)) return {};
  if (!have_common(deploy.lacks, deploy.group_has)) return serves;
  ScriptKeys kept = common(deploy.lacks, deploy.predecessor_has);
  if (!brings_something(deploy) || kept.size() > deploy.scripts_kept_max) return {};
  return {.serves = true, .kept = std::move(kept)};
}

}  // namespace pyhost::supervisor
