#include <utility>

#include "pyhost/gateway/engine.h"

namespace pyhost::gateway {
namespace {

template <class T, class U>
void override_by(T& value, const std::optional<U>& option) {
  if (option) value = *option;
}

void apply(EngineSettings& settings, const InterpreterOptions& options) {
  settings.python_path.insert(settings.python_path.begin(), options.python_path.begin(),
                              options.python_path.end());
  override_by(settings.switch_interval_seconds, options.switch_interval_seconds);
  override_by(settings.restrict_stdin, options.restrict_stdin);
  override_by(settings.restrict_stdout, options.restrict_stdout);
  override_by(settings.restrict_signal, options.restrict_signal);
  override_by(settings.own_lock, options.own_lock);
}

}  // namespace

EngineSettings settings_for_interpreter(EngineSettings settings,
                                        std::string_view application_group) {
  const auto all = std::exchange(settings.interpreters, {});
  for (const InterpreterOptions& options : all) {
    const auto& group = options.application_group;
    if (!group || *group == application_group) apply(settings, options);
  }
  return settings;
}

}  // namespace pyhost::gateway
