#include "launch/start_inputs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "os/small_file.h"

namespace pyhost::launch {
namespace {

using Json = nlohmann::json;

base::Result<std::string> read_env_file(const InputFiles& files, const AsRoot& as_root) {
  auto text = os::read_small_file(files.env_file);
  const bool forbidden = !text &&
                         faccessat(AT_FDCWD, files.env_file.c_str(), R_OK, AT_EACCESS) != 0 &&
                         errno == EACCES;
  if (forbidden && as_root && files.env_file.starts_with('/')) {
    as_root([&] { text = os::read_small_file_of_root(files.env_file); });
  }
  if (text) return text;
  return base::fail(fmt::format("WSGIDaemonProcess {}: env-file={} cannot be read: {}",
                                files.group_name, files.env_file, text.error().sentence));
}

base::Result<> choose_python(const InputFiles& files, StartInputs& inputs) {
  auto choice = plugin::choose_python(files.plugins, files.python);
  if (!choice) {
    return base::fail(fmt::format("{}: {}", files.python_option, choice.error().sentence));
  }
  inputs.plugin = std::move(choice->plugin.path);
  inputs.python_program = std::move(choice->home.program);
  inputs.python_home = std::move(choice->home.home);
  return {};
}

std::optional<std::string> text_in(const Json& value) {
  const auto* text = value.get_ptr<const Json::string_t*>();
  return text == nullptr ? std::nullopt : base::bytes_of_json_text(*text);
}

std::optional<std::vector<std::string>> refusals_in(const Json& object) {
  const auto list = object.find("refusals");
  if (list == object.end() || !list->is_array()) return std::nullopt;
  std::vector<std::string> refusals;
  for (const Json& item : *list) {
    auto text = text_in(item);
    if (!text) return std::nullopt;
    refusals.push_back(*std::move(text));
  }
  return refusals;
}

}  // namespace

InputFiles input_files_of(const control::WantedState& state, const control::WantedGroup& group) {
  const settings::ProcessGroup& options = group.options;
  const auto option = [&options](std::string_view key) {
    return fmt::format("WSGIDaemonProcess {}: {}=", options.name, key);
  };
  // A group with another Python has no use for the environment of the others.
  const bool own = !options.python_home.empty() || !options.python.empty();
  return {
      .group_name = options.name,
      .env_file = options.env_file,
      .python = {.home = own ? options.python_home : state.python_home, .version = options.python},
      .python_option = !own                          ? "WSGIPythonHome"
                       : options.python_home.empty() ? option("python")
                                                     : option("python-home"),
      .plugins = state.plugins};
}

base::Result<StartInputs> read_inputs(const InputFiles& files, const AsRoot& as_root) {
  StartInputs inputs;
  if (!files.env_file.empty()) {
    PH_TRY(text, read_env_file(files, as_root));
    inputs.env_text = std::move(text);
  }
  if (!files.python.empty()) PH_TRY_VOID(choose_python(files, inputs));
  for (const PathLook& look : files.looks) {
    inputs.refusals.push_back(refusal_of(look).value_or(""));
  }
  return inputs;
}

std::string to_json(const base::Result<StartInputs>& inputs) {
  using base::json_text_of;
  if (!inputs) return Json{{"failed", json_text_of(inputs.error().sentence)}}.dump();
  Json refusals = Json::array();
  for (const std::string& refusal : inputs->refusals) refusals.push_back(json_text_of(refusal));
  return Json{{"refusals", std::move(refusals)},
              {"env_text", json_text_of(inputs->env_text)},
              {"plugin", json_text_of(inputs->plugin)},
              {"python_program", json_text_of(inputs->python_program)},
              {"python_home", json_text_of(inputs->python_home)}}
      .dump();
}

base::Result<StartInputs> parse_inputs(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  const auto text_of = [&json](const char* key) -> std::optional<std::string> {
    const auto found = json.find(key);
    return found == json.end() ? std::nullopt : text_in(*found);
  };
  if (json.is_object()) {
    if (auto sentence = text_of("failed")) return base::fail(*std::move(sentence));
    auto env_text = text_of("env_text"), plugin = text_of("plugin"),
         program = text_of("python_program"), home = text_of("python_home");
    auto refusals = refusals_in(json);
    if (env_text && plugin && program && home && refusals) {
      return StartInputs{.env_text = *std::move(env_text),
                         .plugin = *std::move(plugin),
                         .python_program = *std::move(program),
                         .python_home = *std::move(home),
                         .refusals = *std::move(refusals)};
    }
  }
  return base::fail("the rehearsal of a start has said something that is not understood");
}

}  // namespace pyhost::launch
