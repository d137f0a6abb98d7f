// The application side of one interpreter.
#pragma once

#include <memory>

#include "engine/active_calls.h"
#include "pyapi/module_state.h"
#include "python/interpreter.h"
#include "python/script_loader.h"
#include "wsgi/adapter.h"

namespace pyhost::engine {

struct ApplicationGroup final : python::Resident {
  ApplicationGroup(wsgi::Adapter wsgi_adapter, std::unique_ptr<pyapi::ModuleState> mod_wsgi,
                   python::LoadingRules& rules)
      : adapter(std::move(wsgi_adapter)), module(std::move(mod_wsgi)), scripts(rules) {}

  wsgi::Adapter adapter;
  const std::unique_ptr<pyapi::ModuleState> module;
  python::ScriptLoader scripts;
  ActiveCalls calls;
};

inline ApplicationGroup& application_group_of(const python::Interpreter& interpreter) noexcept {
  return static_cast<ApplicationGroup&>(interpreter.resident());
}

}  // namespace pyhost::engine
