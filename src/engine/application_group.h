// The application side of one interpreter.
#pragma once

#include "engine/active_calls.h"
#include "python/interpreter.h"
#include "python/script_loader.h"
#include "wsgi/adapter.h"

namespace pyhost::engine {

struct ApplicationGroup final : python::Resident {
  ApplicationGroup(wsgi::Adapter wsgi_adapter, python::LoadingRules& rules)
      : adapter(std::move(wsgi_adapter)), scripts(rules) {}

  wsgi::Adapter adapter;
  python::ScriptLoader scripts;
  ActiveCalls calls;
};

inline ApplicationGroup& application_group_of(const python::Interpreter& interpreter) noexcept {
  return static_cast<ApplicationGroup&>(interpreter.resident());
}

}  // namespace pyhost::engine
