#include "control/worker_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_text.h"

namespace pyhost::control {
namespace {

using nlohmann::json;

// One list of members for both directions.
template <class Settings, class Visit>
void visit_engine(Settings& engine, Visit&& visit) {
  visit("process_group", engine.process_group);
  visit("python_program", engine.python_program);
  visit("python_home", engine.python_home);
  visit("first_path", engine.first_path);
  visit("python_path", engine.python_path);
  visit("optimize", engine.optimize);
  visit("warnings", engine.warnings);
  visit("hash_seed", engine.hash_seed);
  visit("write_bytecode", engine.write_bytecode);
  visit("switch_interval_seconds", engine.switch_interval_seconds);
  visit("restrict_stdin", engine.restrict_stdin);
  visit("restrict_stdout", engine.restrict_stdout);
  visit("restrict_signal", engine.restrict_signal);
  visit("interactive", engine.interactive);
  visit("destroy_interpreters", engine.destroy_interpreters);
  visit("case_sensitive_paths", engine.case_sensitive_paths);
  visit("script_uid", engine.script_owner.user);
  visit("script_gid", engine.script_owner.group);
  visit("script_user", engine.script_owner.user_name);
  visit("script_group", engine.script_owner.group_name);
  visit("interpreters_max", engine.interpreters_max);
  visit("multithread", engine.multithread);
  visit("multiprocess", engine.multiprocess);
  visit("processes_max", engine.processes_max);
  visit("threads_max", engine.threads_max);
  visit("server_version", engine.server_version);
}

template <class Settings, class Visit>
void visit_limits(Settings& limits, Visit&& visit) {
  visit("request_timeout_ms", limits.request_timeout);
  visit("interrupt_timeout_ms", limits.interrupt_timeout);
  visit("deadlock_timeout_ms", limits.deadlock_timeout);
  visit("startup_timeout_ms", limits.startup_timeout);
  visit("inactivity_timeout_ms", limits.inactivity_timeout);
  visit("restart_interval_ms", limits.restart_interval);
  visit("graceful_timeout_ms", limits.graceful_timeout);
  visit("eviction_timeout_ms", limits.eviction_timeout);
  visit("shutdown_timeout_ms", limits.shutdown_timeout);
  visit("requests_max", limits.requests_max);
  visit("resident_bytes_max", limits.resident_bytes_max);
}

template <class Settings, class Visit>
void visit_worker(Settings& worker, Visit&& visit) {
  visit_engine(worker.engine, visit);
  visit("plugin", worker.plugin);
  visit("locale", worker.locale);
  visit("threads", worker.threads);
  visit("stack_bytes", worker.stack_bytes);
  visit("listen_backlog", worker.listen_backlog);
  visit("httpd_uid", worker.httpd_uid);
  visit("secret", worker.secret);
  visit("log_level", worker.log_level);
  visit("socket_timeout_ms", worker.socket_timeout);
  visit("response_socket_timeout_ms", worker.response_socket_timeout);
  visit_limits(worker.limits, visit);
  visit("slot_index", worker.slot_index);
  visit("row_index", worker.row_index);
  visit("generation", worker.generation);
  visit("report_index", worker.report_index);
  visit("scripts", worker.targets.scripts);
  visit("folders", worker.targets.folders);
  visit("modules", worker.targets.modules);
  visit("preloads", worker.preloads);
  visit("predecessor_imports", worker.predecessor_imports);
  visit("imports_required", worker.imports_required);
}

json written(const std::string& value) {
  return base::json_text_of(value);
}
json written(std::chrono::milliseconds value) {
  return value.count();
}
json written(base::LogLevel value) {
  return static_cast<int>(value);
}
json written(const gateway::GroupSecret& value) {
  return value.hex();
}
json written(const std::array<int, 3>& value) {
  return value;
}
json written(const Preload& value) {
  return json::array({base::json_text_of(value.application_group), base::json_text_of(value.script),
                      base::json_text_of(value.callable)});
}
template <class T>
requires std::is_arithmetic_v<T> json written(T value) {
  return value;
}
template <class T>
json written(const std::optional<T>& value) {
  return value ? json(*value) : json();
}
template <class T>
json written(const std::vector<T>& values) {
  json list = json::array();
  for (const T& value : values) list.push_back(written(value));
  return list;
}

// False when the value is of another type; nothing here makes the library throw.
bool read(const json& value, std::string& into) {
  if (!value.is_string()) return false;
  auto bytes = base::bytes_of_json_text(value.get_ref<const std::string&>());
  if (bytes) into = *std::move(bytes);
  return bytes.has_value();
}
bool read(const json& value, bool& into) {
  if (!value.is_boolean()) return false;
  into = value.get<bool>();
  return true;
}
bool read(const json& value, double& into) {
  if (!value.is_number()) return false;
  into = value.get<double>();
  return true;
}
template <std::integral T>
bool read(const json& value, T& into) {
  if (!value.is_number_integer()) return false;
  const bool fits = value.is_number_unsigned() ? std::in_range<T>(value.get<std::uint64_t>())
                                               : std::in_range<T>(value.get<std::int64_t>());
  if (fits) into = value.get<T>();
  return fits;
}
bool read(const json& value, std::chrono::milliseconds& into) {
  std::int64_t count = 0;
  if (!read(value, count) || count < 0) return false;
  into = std::chrono::milliseconds(count);
  return true;
}
bool read(const json& value, base::LogLevel& into) {
  unsigned level = 0;
  if (!read(value, level) || level > static_cast<unsigned>(base::LogLevel::trace)) return false;
  into = base::LogLevel(level);
  return true;
}
bool read(const json& value, gateway::GroupSecret& into) {
  const auto secret = value.is_string()
                          ? gateway::GroupSecret::of_hex(value.get_ref<const std::string&>())
                          : std::nullopt;
  if (secret) into = *secret;
  return secret.has_value();
}
bool read(const json& value, std::array<int, 3>& into) {
  return value.is_array() && value.size() == into.size() && read(value[0], into[0]) &&
         read(value[1], into[1]) && read(value[2], into[2]);
}
bool read(const json& value, Preload& into) {
  return value.is_array() && value.size() == 3 && read(value[0], into.application_group) &&
         read(value[1], into.script) && read(value[2], into.callable);
}
template <class T>
bool read(const json& value, std::optional<T>& into) {
  into.reset();
  return value.is_null() || read(value, into.emplace());
}
template <class T>
bool read(const json& value, std::vector<T>& into) {
  if (!value.is_array()) return false;
  into.clear();
  return std::ranges::all_of(value,
                             [&into](const json& item) { return read(item, into.emplace_back()); });
}

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

std::uint64_t script_key(const Preload& preload) noexcept {
  std::string_view script = preload.script, callable;
  gateway::split_module_target(preload.script, script, callable);
  return gateway::script_key(preload.application_group, script);
}

bool ServedTargets::serves(const gateway::Target& target) const noexcept {
  if (target.kind == gateway::TargetKind::module) return contains(modules, target.script);
  if (contains(scripts, target.script)) return true;
  return is_plain(target.script) && std::ranges::any_of(folders, [&](const std::string& folder) {
           return target.script.starts_with(folder);
         });
}

WorkerLimits limits_of(const settings::ProcessGroup& group) noexcept {
  using std::chrono::milliseconds;
  const auto or_else = [](milliseconds value, milliseconds instead) {
    return value == milliseconds(0) ? instead : value;
  };
  // What is longer could not be added to the time of day.
  static constexpr milliseconds kLongest = std::chrono::years(10);
  const auto bounded = [](milliseconds value) { return std::min(value, kLongest); };
  // memory-limit is hard for data memory; what is resident leaves before allocations fail.
  constexpr std::uint64_t kTenths = 10;
  return {
      .request_timeout = bounded(group.request_timeout),
      .interrupt_timeout = bounded(group.interrupt_timeout),
      .deadlock_timeout = bounded(group.deadlock_timeout),
      .startup_timeout = bounded(group.startup_timeout),
      .inactivity_timeout = bounded(group.inactivity_timeout),
      .restart_interval = bounded(group.restart_interval),
      .graceful_timeout = bounded(group.graceful_timeout),
      .eviction_timeout = bounded(or_else(group.eviction_timeout, group.graceful_timeout)),
      .shutdown_timeout = bounded(or_else(group.shutdown_timeout, settings::kUnlimitedShutdown)),
      .requests_max = group.maximum_requests,
      .resident_bytes_max = group.memory_limit_bytes / kTenths * (kTenths - 1)};
}

std::string to_json(const WorkerSettings& settings) {
  json object = json::object();
  visit_worker(settings,
               [&object](const char* name, const auto& member) { object[name] = written(member); });
  return object.dump();
}

base::Result<WorkerSettings> parse_worker_settings(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return base::fail("the worker's settings are not a JSON object");
  WorkerSettings settings;
  std::string wrong;
  visit_worker(settings, [&](const char* name, auto& member) {
    const auto found = object.find(name);
    if (found == object.end() || !read(*found, member)) wrong = name;
  });
  if (!wrong.empty()) {
    return base::fail(fmt::format("the worker's settings have no usable value for \"{}\"", wrong));
  }
  return settings;
}

}  // namespace pyhost::control
