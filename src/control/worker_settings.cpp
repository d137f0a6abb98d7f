#include "control/worker_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>

#include "base/path_pattern.h"
#include "control/json_values.h"

namespace pyhost::control {
namespace {

constexpr auto kVisitEngine = [](auto& engine, auto&& visit) {
  visit("optimize", engine.optimize);
  visit("warnings", engine.warnings);
  visit("hash_seed", engine.hash_seed);
  visit("write_bytecode", engine.write_bytecode);
  visit("switch_interval_seconds", engine.switch_interval_seconds);
  visit("restrict_stdin", engine.restrict_stdin);
  visit("restrict_stdout", engine.restrict_stdout);
  visit("restrict_signal", engine.restrict_signal);
  visit("own_lock", engine.own_lock);
  visit("logging", engine.logging);
  visit("metrics_of_prometheus_client", engine.metrics_of_prometheus_client);
  visit("destroy_interpreters", engine.destroy_interpreters);
  visit("case_sensitive_paths", engine.case_sensitive_paths);
  visit("script_uid", engine.script_owner.user);
  visit("script_gid", engine.script_owner.group);
  visit("script_user", engine.script_owner.user_name);
  visit("script_group", engine.script_owner.group_name);
  visit("interpreters_max", engine.interpreters_max);
  visit("server_version", engine.server_version);
  visit("built_for", engine.server.built_for);
  visit("server_description", engine.server.description);
  visit("server_build_date", engine.server.build_date);
  visit("server_mpm", engine.server.mpm);
  visit("server_processes", engine.server.processes_max);
  visit("server_threads", engine.server.threads_max);
  visit("interpreters", engine.interpreters);
};

constexpr auto kVisitWorker = [](auto& worker, auto&& visit) {
  kVisitEngine(worker.engine, visit);
  visit("plugin", worker.plugin);
  visit("httpd_uid", worker.httpd_uid);
  visit("secret", worker.secret);
  visit("log", worker.log);
  visit("socket_timeout_ms", worker.socket_timeout);
  visit("scripts", worker.targets.scripts);
  visit("folders", worker.targets.folders);
  visit("patterns", worker.targets.patterns);
  visit("modules", worker.targets.modules);
  visit("hooks", worker.targets.hooks);
  visit("preloads", worker.preloads);
};

// A path with "." or ".." components, or a doubled slash, may lead out of the folder it seems to be
// in.
bool is_plain(std::string_view path) noexcept {
  return path.starts_with('/') && path.find("//") == path.npos && path.find("/./") == path.npos &&
         path.find("/../") == path.npos && !path.ends_with("/.") && !path.ends_with("/..") &&
         path.find('\0') == path.npos;
}

bool contains(const std::vector<std::string>& names, std::string_view name) noexcept {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

bool ServedTargets::serves(const gateway::Target& target) const {
  if (target.kind == gateway::TargetKind::module) return contains(modules, target.script);
  if (contains(scripts, target.script)) return true;
  if (!is_plain(target.script) || contains(hooks, target.script)) return false;
  const auto is_below = [&](const std::string& folder) {
    return target.script.starts_with(folder);
  };
  return std::ranges::any_of(folders, is_below) ||
         std::ranges::any_of(patterns, [&](const std::string& pattern) {
           return base::is_under_pattern(target.script, pattern);
         });
}

bool ServedTargets::answers(const gateway::Target& target) const noexcept {
  return contains(hooks, target.script);
}

std::string to_json(const WorkerSettings& settings) {
  return object_of(settings, kVisitWorker).dump();
}

base::Result<WorkerSettings> parse_worker_settings(std::string_view text) {
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object()) return base::fail("the worker's settings are not a JSON object");
  WorkerSettings settings;
  if (const auto wrong = read_object(object, settings, kVisitWorker)) {
    return base::fail(fmt::format("the worker's settings have no usable value for \"{}\"", *wrong));
  }
  return settings;
}

}  // namespace pyhost::control
