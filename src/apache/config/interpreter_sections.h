// The sections <WSGIInterpreterOptions>.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apache/httpd_api.h"
#include "pyhost/gateway/engine.h"
#include "settings/settings.h"

namespace pyhost::apache {

// One section. What is not named means all; "" is httpd itself, or the main interpreter.
struct InterpreterSection {
  std::optional<std::string_view> process_group;
  std::optional<std::string_view> application_group;
  const char* place = nullptr;  // where it begins, see places.h
  settings::ProcessSettings settings;
};

// httpd's setter protocol: null, or a sentence about what is wrong, in the configuration's pool.
const char* add_interpreter_section(cmd_parms* cmd, void* directory, const char* arguments);

// The section that a directive stands in; null outside of any.
InterpreterSection* section_around(const cmd_parms* cmd);

// What the sections of the main server come to for the processes of a group, in the order in which
// an engine wants them.
std::vector<gateway::InterpreterOptions> interpreter_options(std::string_view process_group);

// As it stands in the configuration, with its directives.
std::string show(const InterpreterSection& section);

}  // namespace pyhost::apache
