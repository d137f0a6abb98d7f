#include "control/json_values.h"

#include "base/json_text.h"

namespace pyhost::control {

Json json_of(const std::string& value) {
  return base::json_text_of(value);
}

Json json_of(std::chrono::milliseconds value) {
  return value.count();
}

Json json_of(base::LogLevel value) {
  return static_cast<int>(value);
}

namespace {

constexpr auto kVisitLog = [](auto& rules, auto&& visit) {
  visit("level", rules.level);
  visit("printed", rules.printed);
  visit("form", rules.form);
  visit("group", rules.group);
};

}  // namespace

Json json_of(base::LogForm value) {
  return value == base::LogForm::json;
}

Json json_of(const base::LogRules& value) {
  return object_of(value, kVisitLog);
}

Json json_of(const gateway::Logging& value) {
  return Json::array(
      {static_cast<int>(value.handler), json_of(value.output), json_of(value.errors)});
}

Json json_of(const gateway::GroupSecret& value) {
  return value.hex();
}

Json json_of(const std::array<int, 3>& value) {
  return value;
}

Json json_of(const gateway::Script& value) {
  return Json::array({json_of(value.application_group), json_of(value.script),
                      json_of(value.callable), value.kind == gateway::TargetKind::module});
}

namespace {

constexpr auto kVisitOptions = [](auto& options, auto&& visit) {
  visit("application_group", options.application_group);
  visit("python_path", options.python_path);
  visit("switch_interval_seconds", options.switch_interval_seconds);
  visit("restrict_stdin", options.restrict_stdin);
  visit("restrict_stdout", options.restrict_stdout);
  visit("restrict_signal", options.restrict_signal);
  visit("own_lock", options.own_lock);
};

}  // namespace

Json json_of(const gateway::InterpreterOptions& value) {
  return object_of(value, kVisitOptions);
}

Json json_of(const base::FileIdentity& value) {
  return Json::array({value.device, value.inode, value.bytes, value.modified_us, value.changed_us});
}

bool read(const Json& value, std::string& into) {
  if (!value.is_string()) return false;
  auto bytes = base::bytes_of_json_text(value.get_ref<const std::string&>());
  if (!bytes) return false;
  into = *std::move(bytes);
  return true;
}

bool read(const Json& value, bool& into) {
  if (!value.is_boolean()) return false;
  into = value.get<bool>();
  return true;
}

bool read(const Json& value, double& into) {
  if (!value.is_number()) return false;
  into = value.get<double>();
  return true;
}

bool read(const Json& value, std::chrono::milliseconds& into) {
  std::int64_t count = 0;
  if (!read(value, count) || count < 0) return false;
  into = std::chrono::milliseconds(count);
  return true;
}

bool read(const Json& value, base::LogLevel& into) {
  unsigned level = 0;
  if (!read(value, level) || level > static_cast<unsigned>(base::LogLevel::trace)) return false;
  into = base::LogLevel(level);
  return true;
}

bool read(const Json& value, base::LogForm& into) {
  bool is_json = false;
  if (!read(value, is_json)) return false;
  into = is_json ? base::LogForm::json : base::LogForm::lines;
  return true;
}

bool read(const Json& value, base::LogRules& into) {
  return value.is_object() && !read_object(value, into, kVisitLog);
}

bool read(const Json& value, gateway::Logging& into) {
  constexpr std::size_t kMembers = 3;
  unsigned handler = 0;
  if (!value.is_array() || value.size() != kMembers || !read(value[0], handler) ||
      handler > static_cast<unsigned>(gateway::Logging::Handler::json)) {
    return false;
  }
  into.handler = gateway::Logging::Handler(handler);
  return read(value[1], into.output) && read(value[2], into.errors);
}

bool read(const Json& value, gateway::GroupSecret& into) {
  const auto secret = value.is_string()
                          ? gateway::GroupSecret::of_hex(value.get_ref<const std::string&>())
                          : std::nullopt;
  if (secret) into = *secret;
  return secret.has_value();
}

bool read(const Json& value, std::array<int, 3>& into) {
  return value.is_array() && value.size() == into.size() && read(value[0], into[0]) &&
         read(value[1], into[1]) && read(value[2], into[2]);
}

bool read(const Json& value, gateway::Script& into) {
  constexpr std::size_t kMembers = 4;
  bool is_module = false;
  if (!value.is_array() || value.size() != kMembers || !read(value[0], into.application_group) ||
      !read(value[1], into.script) || !read(value[2], into.callable) ||
      !read(value[3], is_module)) {
    return false;
  }
  into.kind = is_module ? gateway::TargetKind::module : gateway::TargetKind::file;
  return true;
}

bool read(const Json& value, gateway::InterpreterOptions& into) {
  return value.is_object() && !read_object(value, into, kVisitOptions);
}

bool read(const Json& value, base::FileIdentity& into) {
  constexpr std::size_t kMembers = 5;
  return value.is_array() && value.size() == kMembers && read(value[0], into.device) &&
         read(value[1], into.inode) && read(value[2], into.bytes) &&
         read(value[3], into.modified_us) && read(value[4], into.changed_us);
}

}  // namespace pyhost::control
