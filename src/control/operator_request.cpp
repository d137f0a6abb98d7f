#include "control/operator_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace pyhost::control {
namespace {

using Json = nlohmann::json;
using Command = OperatorRequest::Command;

constexpr std::array kCommands{Command::status, Command::reload, Command::stop, Command::start};

tl::unexpected<base::Error> malformed(std::string_view what) {
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
    case Command::reload:
      return "reload";
    case Command::stop:
      return "stop";
    case Command::start:
      break;
  }
  return "start";
}

base::Result<OperatorRequest> parse_operator_request(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return malformed("no object");
  OperatorRequest request;
  const auto named = json.find("command");
  const auto* name = named == json.end() ? nullptr : named->get_ptr<const Json::string_t*>();
  if (name == nullptr) return malformed("command");
  const auto* const command = std::ranges::find(kCommands, *name, name_of);
  if (command == kCommands.end()) {
    return base::fail(fmt::format("there is no command '{}'", *name));
  }
  request.command = *command;
  if (const auto group = json.find("group"); group != json.end()) {
    const auto* text = group->get_ptr<const Json::string_t*>();
    if (text == nullptr) return malformed("group");
    request.group = *text;
  }
  if (const auto wait = json.find("wait"); wait != json.end()) {
    const auto* flag = wait->get_ptr<const Json::boolean_t*>();
    if (flag == nullptr) return malformed("wait");
    request.waiting = *flag ? OperatorRequest::Waiting::on : OperatorRequest::Waiting::off;
  }
  if (request.group.empty() && request.command != Command::status) return malformed("group");
  return request;
}

std::string done_answer(std::string_view sentence) {
  return answer("done", sentence);
}

std::string error_answer(std::string_view sentence) {
  return answer("error", sentence);
}

}  // namespace pyhost::control
