#include "control/wanted_state.h"

#include <fmt/format.h>

#include "control/build_check.h"
#include "control/group_options.h"
#include "control/json_values.h"
#include "pyhost/gateway/build_id.h"

namespace pyhost::control {
namespace {

constexpr Correspondents kWantedEnds{
    .reader = "pyhost-supervisor", .writer = "mod_pyhost", .cure = "stop httpd and start it again"};

tl::unexpected<base::Error> malformed(std::string_view what) {
  return base::fail(fmt::format("the message to pyhost-supervisor is malformed: {}", what));
}

template <class T>
base::Result<T> member(const Json& object, const char* key) {
  T value{};
  if (!read_member(object, key, value)) return malformed(key);
  return value;
}

Json as_json(const WantedGroup& group) {
  return {{"name", json_of(group.options.name)},
          {"place", json_of(group.place)},
          {"index", group.index},
          {"log", group.log},
          {"board", group.board},
          {"reports", group.reports},
          {"metrics", group.metrics},
          {"options", options_json(group.options)},
          {"worker_settings", json_of(group.worker_settings)}};
}

base::Result<std::vector<plugin::PluginFile>> parse_plugins(const Json& object) {
  const auto list = object.find("plugins");
  if (list == object.end() || !list->is_array()) return malformed("plugins");
  std::vector<plugin::PluginFile> plugins;
  for (const Json& each : *list) {
    plugin::PluginFile plugin;
    if (!each.is_array() || each.size() != 2 || !read(each[0], plugin.path) ||
        !read(each[1], plugin.python_version)) {
      return malformed("plugins");
    }
    plugins.push_back(std::move(plugin));
  }
  return plugins;
}

base::Result<WantedGroup> parse_group(const Json& json) {
  if (!json.is_object()) return malformed("groups");
  WantedGroup group;
  PH_TRY(name, member<std::string>(json, "name"));
  PH_TRY(place, member<std::string>(json, "place"));
  PH_TRY(index, member<std::uint32_t>(json, "index"));
  PH_TRY(log, member<std::uint32_t>(json, "log"));
  PH_TRY(board, member<std::uint32_t>(json, "board"));
  PH_TRY(reports, member<std::uint32_t>(json, "reports"));
  PH_TRY(metrics, member<std::uint32_t>(json, "metrics"));
  PH_TRY(settings, member<std::string>(json, "worker_settings"));
  group.options.name = std::move(name);
  group.place = std::move(place);
  group.index = index;
  group.log = log;
  group.board = board;
  group.reports = reports;
  group.metrics = metrics;
  group.worker_settings = std::move(settings);
  const auto options = json.find("options");
  if (options == json.end()) return malformed("options");
  PH_TRY_VOID(read_options(*options, group.options));
  return group;
}

}  // namespace

std::string to_json(const WantedState& state) {
  Json groups = Json::array();
  for (const WantedGroup& group : state.groups) groups.push_back(as_json(group));
  Json plugins = Json::array();
  for (const auto& [path, version] : state.plugins) {
    plugins.push_back({json_of(path), json_of(version)});
  }
  const Json json{{kBuildKey, std::string(gateway::kBuildId)},
                  {"socket_prefix", json_of(state.socket_prefix)},
                  {"operator_socket", json_of(state.operator_socket)},
                  {"monitor_gid", json_of(state.monitor_gid)},
                  {"stacks_socket", json_of(state.stacks_socket)},
                  {"httpd_uid", state.httpd.uid},
                  {"httpd_gid", state.httpd.gid},
                  {"httpd_version", json_of(state.httpd_version)},
                  {"python_home", json_of(state.python_home)},
                  {"plugins", std::move(plugins)},
                  {"log", json_of(state.log)},
                  {"revival", state.revival},
                  {"groups", std::move(groups)}};
  return json.dump();
}

base::Result<WantedState> parse_wanted_state(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return malformed("no object");
  PH_TRY_VOID(check_build(json, kWantedEnds));
  const auto groups = json.find("groups");
  if (groups == json.end() || !groups->is_array()) return malformed("groups");
  PH_TRY(prefix, member<std::string>(json, "socket_prefix"));
  PH_TRY(operators, member<std::string>(json, "operator_socket"));
  PH_TRY(monitors, member<std::optional<std::uint32_t>>(json, "monitor_gid"));
  PH_TRY(stacks, member<std::string>(json, "stacks_socket"));
  PH_TRY(uid, member<std::uint32_t>(json, "httpd_uid"));
  PH_TRY(gid, member<std::uint32_t>(json, "httpd_gid"));
  PH_TRY(httpd_version, member<std::string>(json, "httpd_version"));
  PH_TRY(home, member<std::string>(json, "python_home"));
  PH_TRY(plugins, parse_plugins(json));
  PH_TRY(log, member<base::LogRules>(json, "log"));
  PH_TRY(revival, member<bool>(json, "revival"));
  WantedState state{.socket_prefix = std::move(prefix),
                    .operator_socket = std::move(operators),
                    .monitor_gid = monitors,
                    .stacks_socket = std::move(stacks),
                    .httpd = {.uid = uid, .gid = gid},
                    .httpd_version = std::move(httpd_version),
                    .python_home = std::move(home),
                    .plugins = std::move(plugins),
                    .log = std::move(log),
                    .revival = revival};
  for (const Json& each : *groups) {
    PH_TRY(group, parse_group(each));
    state.groups.push_back(std::move(group));
  }
  return state;
}

std::string refusal_text(std::string_view why) {
  return Json{{"refused", json_of(std::string(why))}}.dump();
}

std::optional<std::string> parse_refusal(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  std::string why;
  if (!json.is_object() || !read_member(json, "refused", why)) return std::nullopt;
  return why;
}

std::string to_json(const Answer& answer) {
  return Json{{"errors", json_of(answer.errors)}}.dump();
}

base::Result<Answer> parse_answer(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  Answer answer;
  if (!json.is_object() || !read_member(json, "errors", answer.errors)) {
    return malformed("the answer");
  }
  return answer;
}

}  // namespace pyhost::control
