#include "apache/config/group_names.h"

#include "settings/global_name.h"

#include <fmt/format.h>

#include <algorithm>

namespace pyhost::apache {
namespace {

constexpr unsigned kHttpPort = 80;
constexpr unsigned kHttpsPort = 443;

// The X of %{ENV:X}.
std::optional<std::string_view> variable_in(std::string_view name) {
  constexpr std::string_view kPrefix = "%{ENV:";
  if (!name.starts_with(kPrefix) || !name.ends_with('}')) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  name.remove_suffix(1);
  return name;
}

// "host", or "host:8080" when the port is not one that browsers leave out.
std::string origin(std::string_view host, unsigned port) {
  std::string text(host);
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  if (port != kHttpPort && port != kHttpsPort) text += fmt::format(":{}", port);
  return text;
}

std::string expand_token(std::string_view name, const NameSource& source) {
  if (name == settings::kGlobalName) return "";
  if (name == "%{SERVER}") return origin(source.server_name(), source.port());
  if (name == "%{HOST}") return origin(source.host_name(), source.port());
  if (name == "%{RESOURCE}") {
    return origin(source.server_name(), source.port()).append("|").append(source.script_name());
  }
  return std::string(name);
}

}  // namespace

std::optional<std::string> expand_group(std::string_view name, const NameSource& source) {
  const auto variable = variable_in(name);
  if (!variable) return expand_token(name, source);
  const auto value = source.variable(*variable);
  if (!value || variable_in(*value)) return std::nullopt;
  return expand_token(*value, source);
}

std::optional<std::string_view> expand_callable(std::string_view name, const NameSource& source) {
  const auto variable = variable_in(name);
  return variable ? source.variable(*variable) : name;
}

}  // namespace pyhost::apache
