// What the start of a worker needs of files that may belong to the group's own user.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/wanted_state.h"
#include "launch/path_look.h"
#include "plugin/plugin_loader.h"
#include "plugin/python_choice.h"
#include "pyhost/base/result.h"

namespace pyhost::launch {

// What is to be read. Nothing when all is empty.
struct InputFiles {
  std::string group_name;
  std::string env_file;
  plugin::PythonWish python;
  std::string python_option;  // where that is from, for a sentence: "WSGIPythonHome"
  std::vector<plugin::PluginFile> plugins;
  std::vector<PathLook> looks;  // what is only looked at

  bool none() const noexcept { return env_file.empty() && python.empty(); }
};

InputFiles input_files_of(const control::WantedState& state, const control::WantedGroup& group);

// What was read.
struct StartInputs {
  std::string env_text;  // of env-file=
  std::string plugin;    // that fits what is wished; "" when nothing is
  std::string python_program;
  std::string python_home;
  std::vector<std::string> refusals;  // one for each look; "" when nothing is in the way

  bool operator==(const StartInputs&) const = default;
};

// For a process that has the rights of the group's user and may be held up. `as_root` calls a
// function with the rights of root; empty when the process has none. A env-file that the user may
// not read is read all the same when only root can have put it there. Fails with a sentence that
// names the group.
using AsRoot = std::function<void(const std::function<void()>&)>;
base::Result<StartInputs> read_inputs(const InputFiles& files, const AsRoot& as_root);

// One line of JSON without its end; either side of a process border.
std::string to_json(const base::Result<StartInputs>& inputs);
// Fails with the sentence that was sent, and for what to_json() has not made.
base::Result<StartInputs> parse_inputs(std::string_view line);

}  // namespace pyhost::launch
