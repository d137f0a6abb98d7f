#include "control/wanted_state.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json_text.h"

namespace pyhost::control {
namespace {

using Json = nlohmann::json;
using base::json_text_of;

std::optional<std::string> text_from(const Json& json) {
  const auto* text = json.get_ptr<const Json::string_t*>();
  return text == nullptr ? std::nullopt : base::bytes_of_json_text(*text);
}

tl::unexpected<base::Error> malformed(std::string_view what) {
  return base::fail(fmt::format("the message to pyhost-supervisor is malformed: {}", what));
}

base::Result<std::string> text_member(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end()) return malformed(key);
  auto text = text_from(*found);
  if (!text) return malformed(key);
  return *std::move(text);
}

base::Result<std::uint32_t> number_member(const Json& object, const char* key) {
  const auto found = object.find(key);
  const auto* number =
      found == object.end() ? nullptr : found->get_ptr<const Json::number_unsigned_t*>();
  if (number == nullptr || *number > UINT32_MAX) return malformed(key);
  return static_cast<std::uint32_t>(*number);
}

Json as_json(const WantedGroup& group) {
  Json options = Json::array();
  for (const auto& [key, value] : settings::given_options(group.options)) {
    options.push_back({key, json_text_of(value)});
  }
  return {{"name", json_text_of(group.options.name)},
          {"index", group.index},
          {"log", group.log},
          {"board", group.board},
          {"reports", group.reports},
          {"options", std::move(options)},
          {"worker_settings", json_text_of(group.worker_settings)}};
}

base::Result<> parse_options(const Json& object, settings::ProcessGroup& group) {
  const auto options = object.find("options");
  if (options == object.end() || !options->is_array()) return malformed("options");
  for (const Json& option : *options) {
    if (!option.is_array() || option.size() != 2) return malformed("options");
    const auto key = text_from(option[0]);
    const auto value = text_from(option[1]);
    if (!key || !value) return malformed("options");
    PH_TRY_VOID(settings::parse_process_group_option(group, *key, *value));
  }
  return {};
}

base::Result<std::vector<plugin::PluginFile>> parse_plugins(const Json& object) {
  const auto list = object.find("plugins");
  if (list == object.end() || !list->is_array()) return malformed("plugins");
  std::vector<plugin::PluginFile> plugins;
  for (const Json& each : *list) {
    if (!each.is_array() || each.size() != 2) return malformed("plugins");
    auto path = text_from(each[0]);
    auto version = text_from(each[1]);
    if (!path || !version) return malformed("plugins");
    plugins.push_back({.path = *std::move(path), .python_version = *std::move(version)});
  }
  return plugins;
}

base::Result<WantedGroup> parse_group(const Json& json) {
  if (!json.is_object()) return malformed("groups");
  WantedGroup group;
  PH_TRY(name, text_member(json, "name"));
  PH_TRY(index, number_member(json, "index"));
  PH_TRY(log, number_member(json, "log"));
  PH_TRY(board, number_member(json, "board"));
  PH_TRY(reports, number_member(json, "reports"));
  PH_TRY(settings, text_member(json, "worker_settings"));
  group.options.name = std::move(name);
  group.index = index;
  group.log = log;
  group.board = board;
  group.reports = reports;
  group.worker_settings = std::move(settings);
  PH_TRY_VOID(parse_options(json, group.options));
  return group;
}

}  // namespace

std::string to_json(const WantedState& state) {
  Json groups = Json::array();
  for (const WantedGroup& group : state.groups) groups.push_back(as_json(group));
  Json plugins = Json::array();
  for (const auto& [path, version] : state.plugins) {
    plugins.push_back({json_text_of(path), json_text_of(version)});
  }
  const Json json{{"build", json_text_of(state.build)},
                  {"socket_prefix", json_text_of(state.socket_prefix)},
                  {"operator_socket", json_text_of(state.operator_socket)},
                  {"httpd_uid", state.httpd.uid},
                  {"httpd_gid", state.httpd.gid},
                  {"python_home", json_text_of(state.python_home)},
                  {"plugins", std::move(plugins)},
                  {"log_level", static_cast<unsigned>(state.log_level)},
                  {"revival", state.revival},
                  {"groups", std::move(groups)}};
  return json.dump();
}

base::Result<WantedState> parse_wanted_state(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return malformed("no object");
  const auto groups = json.find("groups");
  if (groups == json.end() || !groups->is_array()) return malformed("groups");
  PH_TRY(build, text_member(json, "build"));
  PH_TRY(prefix, text_member(json, "socket_prefix"));
  PH_TRY(operators, text_member(json, "operator_socket"));
  PH_TRY(uid, number_member(json, "httpd_uid"));
  PH_TRY(gid, number_member(json, "httpd_gid"));
  PH_TRY(home, text_member(json, "python_home"));
  PH_TRY(plugins, parse_plugins(json));
  PH_TRY(level, number_member(json, "log_level"));
  if (level > static_cast<unsigned>(base::LogLevel::trace)) return malformed("log_level");
  const auto revival = json.find("revival");
  if (revival == json.end() || !revival->is_boolean()) return malformed("revival");
  WantedState state{.build = std::move(build),
                    .socket_prefix = std::move(prefix),
                    .operator_socket = std::move(operators),
                    .httpd = {.uid = uid, .gid = gid},
                    .python_home = std::move(home),
                    .plugins = std::move(plugins),
                    .log_level = static_cast<base::LogLevel>(level),
                    .revival = revival->get<bool>()};
  for (const Json& each : *groups) {
    PH_TRY(group, parse_group(each));
    state.groups.push_back(std::move(group));
  }
  return state;
}

std::string refusal_text(std::string_view why) {
  return Json{{"refused", json_text_of(std::string(why))}}.dump();
}

std::optional<std::string> parse_refusal(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  const auto refused = json.find("refused");
  if (!json.is_object() || refused == json.end()) return std::nullopt;
  return text_from(*refused);
}

std::string to_json(const Answer& answer) {
  Json errors = Json::array();
  for (const std::string& error : answer.errors) errors.push_back(json_text_of(error));
  return Json{{"errors", std::move(errors)}}.dump();
}

base::Result<Answer> parse_answer(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  const auto errors = json.find("errors");
  if (!json.is_object() || errors == json.end() || !errors->is_array()) {
    return malformed("the answer");
  }
  Answer answer;
  for (const Json& each : *errors) {
    auto error = text_from(each);
    if (!error) return malformed("the answer");
    answer.errors.push_back(*std::move(error));
  }
  return answer;
}

}  // namespace pyhost::control
