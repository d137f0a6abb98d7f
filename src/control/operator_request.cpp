#include "control/operator_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "control/operator_protocol.h"

namespace pyhost::control {
namespace {

using Json = nlohmann::json;
using Command = OperatorRequest::Command;

constexpr char kDoneKey[] = "done";
constexpr char kErrorKey[] = "error";

constexpr char kMetricsKey[] = "metrics";

constexpr std::array kCommands{Command::status,       Command::metrics, Command::dump,
                               Command::reload,       Command::stop,    Command::start,
                               Command::reset_metrics};

tl::unexpected<base::Error> malformed_request(std::string_view what) {
  return base::fail(fmt::format("the command is malformed: {}", what));
}

std::string answer(const char* key, std::string_view sentence) {
  return Json{{key, sentence}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string_view name_of(Command command) noexcept {
  switch (command) {
    case Command::status:
      return "status";
    case Command::metrics:
      return "metrics";
    case Command::dump:
      return "dump";
    case Command::reload:
      return "reload";
    case Command::stop:
      return "stop";
    case Command::start:
      return "start";
    case Command::reset_metrics:
      break;
  }
  return "reset-metrics";
}

std::optional<Command> command_of(std::string_view name) noexcept {
  const auto* const found =
      std::ranges::find(kCommands, name, [](Command command) { return name_of(command); });
  return found == kCommands.end() ? std::nullopt : std::optional(*found);
}

std::string to_json(const OperatorRequest& request) {
  Json json{{"command", name_of(request.command)},
            {"wait", request.waiting == OperatorRequest::Waiting::on}};
  if (!request.group.empty()) json["group"] = request.group;
  if (request.openmetrics) json["openmetrics"] = true;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string operator_socket_in(std::string_view runtime_folder) {
  return fmt::format("{}/{}{}", runtime_folder, kDefaultSocketName, kOperatorSocketSuffix);
}

base::Result<OperatorRequest> parse_operator_request(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return malformed_request("no object");
  OperatorRequest request;
  const auto named = json.find("command");
  const auto* name = named == json.end() ? nullptr : named->get_ptr<const Json::string_t*>();
  if (name == nullptr) return malformed_request("command");
  const auto command = command_of(*name);
  if (!command) return base::fail(fmt::format("there is no command '{}'", *name));
  request.command = *command;
  if (const auto group = json.find("group"); group != json.end()) {
    const auto* text = group->get_ptr<const Json::string_t*>();
    if (text == nullptr) return malformed_request("group");
    request.group = *text;
  }
  if (const auto wait = json.find("wait"); wait != json.end()) {
    const auto* flag = wait->get_ptr<const Json::boolean_t*>();
    if (flag == nullptr) return malformed_request("wait");
    request.waiting = *flag ? OperatorRequest::Waiting::on : OperatorRequest::Waiting::off;
  }
  if (const auto format = json.find("openmetrics"); format != json.end()) {
    const auto* flag = format->get_ptr<const Json::boolean_t*>();
    if (flag == nullptr) return malformed_request("openmetrics");
    request.openmetrics = *flag;
  }
  if (request.group.empty() && !may_be_for_all(request.command)) return malformed_request("group");
  return request;
}

bool may_be_for_all(Command command) noexcept {
  return command == Command::status || command == Command::metrics;
}

bool only_looks(Command command) noexcept {
  return command == Command::status || command == Command::metrics;
}

std::string metrics_answer(std::string_view text) {
  return answer(kMetricsKey, text);
}

std::optional<std::string> parse_metrics_answer(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find(kMetricsKey);
  if (found == json.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

std::string done_answer(std::string_view sentence) {
  return answer(kDoneKey, sentence);
}

std::string error_answer(std::string_view sentence) {
  return answer(kErrorKey, sentence);
}

std::optional<base::Result<std::string>> parse_short_answer(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return base::fail("the supervisor's answer is no JSON object");
  const auto text_in = [&json](const char* key) -> const std::string* {
    const auto found = json.find(key);
    return found == json.end() ? nullptr : found->get_ptr<const Json::string_t*>();
  };
  if (const auto* error = text_in(kErrorKey)) return base::fail(*error);
  if (const auto* done = text_in(kDoneKey)) return *done;
  return std::nullopt;
}

}  // namespace pyhost::control
