// Callables that make an application: "create_app()".
#pragma once

#include <string_view>

namespace pyhost::gateway {

inline constexpr std::string_view kFactoryMark = "()";

// Whether a target's callable is to be called once, when its script is imported, for the
// application that it returns.
constexpr bool is_factory(std::string_view callable) noexcept {
  return callable.size() > kFactoryMark.size() && callable.ends_with(kFactoryMark);
}

// The name of the function: "create_app". PRECONDITION: it is one.
constexpr std::string_view function_of(std::string_view factory) noexcept {
  return factory.substr(0, factory.size() - kFactoryMark.size());
}

}  // namespace pyhost::gateway
