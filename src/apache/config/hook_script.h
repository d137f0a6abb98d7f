// A hook script as the configuration names it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string_view>

#include "pyhost/gateway/target.h"
#include "settings/directives.h"

namespace pyhost::apache {

// How long an answer of a process group may take without timeout=.
inline constexpr std::chrono::milliseconds kHookTimeout{5000};

// One WSGIAccessScript or its like. Its texts end with a NUL.
struct HookScript {
  settings::Hook hook{};
  const char* written = nullptr;  // the whole line
  const char* place = nullptr;    // where it stands, see places.h; nullptr: in a .htaccess file
  gateway::TargetKind kind = gateway::TargetKind::file;
  std::string_view script;             // a path, or the name of a module
  std::string_view callable;           // "": the function that the question is for
  std::string_view process_group;      // "" is the httpd child itself
  std::string_view application_group;  // "", a name, %{SERVER} or %{HOST}
  std::chrono::milliseconds timeout = kHookTimeout;
};

// Those that are in force somewhere, by settings::Hook; nullptr for none.
using HookScripts = std::array<const HookScript*, settings::kHooks>;

inline const HookScript* hook_or_null(const HookScripts& hooks, settings::Hook hook) noexcept {
  return hooks[static_cast<std::size_t>(hook)];
}

// `inner`, with what is not set there taken from `outer`.
inline HookScripts inherit(HookScripts inner, const HookScripts& outer) noexcept {
  for (std::size_t i = 0; i < inner.size(); ++i) {
    if (inner[i] == nullptr) inner[i] = outer[i];
  }
  return inner;
}

}  // namespace pyhost::apache
