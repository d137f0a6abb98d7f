#include "pyhost/gateway/target.h"

namespace pyhost::gateway {
namespace {

// FNV-1a.
constexpr std::uint64_t kHashOfNothing = 0xcbf2'9ce4'8422'2325;

constexpr std::uint64_t hash_on(std::uint64_t hash, std::string_view text) noexcept {
  constexpr std::uint64_t kPrime = 0x100'0000'01b3;
  for (const unsigned char byte : text) hash = (hash ^ byte) * kPrime;
  return hash;
}

}  // namespace

std::string_view name_of(Protocol protocol) noexcept {
  switch (protocol) {
    case Protocol::wsgi:
      return "WSGI";
    case Protocol::asgi:
      return "ASGI";
    case Protocol::asgi2:
      return "ASGI 2";
    case Protocol::detected:
      return "detected";
  }
  return "unknown";
}

std::uint64_t script_key(std::string_view application_group, std::string_view script) noexcept {
  constexpr std::string_view kBetween("\0", 1);
  return hash_on(hash_on(hash_on(kHashOfNothing, application_group), kBetween), script);
}

std::uint64_t script_key(const Target& target) noexcept {
  return script_key(target.application_group, target.script);
}

std::uint64_t script_key(const Script& script) noexcept {
  return script_key(script.application_group, script.script);
}

Target target_of(const Script& script) noexcept {
  return {.kind = script.kind,
          .application_group = script.application_group,
          .script = script.script,
          .callable = script.callable};
}

Script script_of(const Target& target) {
  return {.application_group = std::string(target.application_group),
          .script = std::string(target.script),
          .callable = std::string(target.callable),
          .kind = target.kind};
}

std::string name_of(const Script& script) {
  const bool is_whole = script.kind == TargetKind::file || script.callable.empty();
  return is_whole ? script.script : script.script + ":" + script.callable;
}

bool split_module_target(std::string_view text, std::string_view& module,
                         std::string_view& callable) noexcept {
  const auto colon = text.find(':');
  if (colon == text.npos || text.find('/') != text.npos) return false;
  module = text.substr(0, colon);
  callable = text.substr(colon + 1);
  return !module.empty() && !callable.empty();
}

}  // namespace pyhost::gateway
