// Runs a function at the end of a scope.
#pragma once

#include <utility>

namespace pyhost::base {

// `const ScopeExit restore([&] { ... });` The function must not throw.
template <class F>
class [[nodiscard]] ScopeExit {
 public:
  explicit ScopeExit(F function) noexcept : function_(std::move(function)) {}
  ScopeExit(const ScopeExit&) = delete;
  ScopeExit& operator=(const ScopeExit&) = delete;
  ~ScopeExit() { function_(); }

 private:
  F function_;
};

}  // namespace pyhost::base
