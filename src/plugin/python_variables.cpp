#include "plugin/python_variables.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pyhost::plugin {
namespace {

struct Substitute {
  std::string_view variable;
  std::string_view directive;
  std::string_view option;  // "" when there is only the directive
};

constexpr auto kSubstitutes = std::to_array<Substitute>({
    {"PYTHONPATH", "WSGIPythonPath", "python-path="},
    {"PYTHONHOME", "WSGIPythonHome", "python-home="},
    {"PYTHONWARNINGS", "WSGIPythonWarnings", ""},
    {"PYTHONOPTIMIZE", "WSGIPythonOptimize", ""},
    {"PYTHONDONTWRITEBYTECODE", "WSGIDontWriteBytecode", ""},
    {"PYTHONHASHSEED", "WSGIPythonHashSeed", ""},
});

// UTF-8, and a log that is written line by line.
constexpr auto kFulfilled = std::to_array<std::string_view>(
    {"PYTHONUTF8", "PYTHONIOENCODING", "PYTHONUNBUFFERED", "PYTHONNOUSERSITE"});

}  // namespace

std::string notice_of_python_variable(std::string_view name, VariableOf owner) {
  const auto text = [name](std::string_view advice) {
    return fmt::format("{} has no effect on applications, only on programs that they start{}", name,
                       advice);
  };
  const auto found = std::ranges::find(kSubstitutes, name, &Substitute::variable);
  if (found != kSubstitutes.end()) {
    const bool own = owner == VariableOf::process_group && !found->option.empty();
    return text(fmt::format("; use {} instead", own ? found->option : found->directive));
  }
  // PYTHON_EGG_CACHE and the like are read by libraries.
  const bool of_python = name.starts_with("PYTHON") && !name.starts_with("PYTHON_") &&
                         std::ranges::find(kFulfilled, name) == kFulfilled.end();
  return of_python && owner == VariableOf::process_group ? text("") : "";
}

}  // namespace pyhost::plugin
