// The values of which the messages of this folder are made, as JSON. For its sources only.
//
// json_of() writes a value; read() takes one, and is false when it is of another type: nothing here
// makes the library throw, and what is read may come from anybody. Texts may have any bytes.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log_rules.h"
#include "pyhost/base/file_identity.h"
#include "pyhost/gateway/engine.h"
#include "pyhost/gateway/group_secret.h"
#include "pyhost/gateway/target.h"

namespace pyhost::control {

using Json = nlohmann::json;

Json json_of(const std::string& value);
Json json_of(std::chrono::milliseconds value);
Json json_of(base::LogLevel value);
Json json_of(base::LogForm value);
Json json_of(const base::LogRules& value);
// [handler, level of the output, level of errors].
Json json_of(const gateway::Logging& value);
Json json_of(const gateway::GroupSecret& value);
Json json_of(const std::array<int, 3>& value);
// [application group, script, callable, whether it is a module].
Json json_of(const gateway::Script& value);
Json json_of(const gateway::InterpreterOptions& value);
// [device, inode, bytes, modified, changed].
Json json_of(const base::FileIdentity& value);

bool read(const Json& value, std::string& into);
bool read(const Json& value, bool& into);
bool read(const Json& value, double& into);
bool read(const Json& value, std::chrono::milliseconds& into);
bool read(const Json& value, base::LogLevel& into);
bool read(const Json& value, base::LogForm& into);
bool read(const Json& value, base::LogRules& into);
bool read(const Json& value, gateway::Logging& into);
bool read(const Json& value, gateway::GroupSecret& into);
bool read(const Json& value, std::array<int, 3>& into);
bool read(const Json& value, gateway::Script& into);
bool read(const Json& value, gateway::InterpreterOptions& into);
bool read(const Json& value, base::FileIdentity& into);

template <class T>
requires std::is_arithmetic_v<T> Json json_of(T value) {
  return value;
}
template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? json_of(*value) : Json();
}
template <class T>
Json json_of(const std::vector<T>& values) {
  Json list = Json::array();
  for (const T& value : values) list.push_back(json_of(value));
  return list;
}

template <std::integral T>
bool read(const Json& value, T& into) {
  if (!value.is_number_integer()) return false;
  const bool fits = value.is_number_unsigned() ? std::in_range<T>(value.get<std::uint64_t>())
                                               : std::in_range<T>(value.get<std::int64_t>());
  if (fits) into = value.get<T>();
  return fits;
}
template <class T>
bool read(const Json& value, std::optional<T>& into) {
  into.reset();
  return value.is_null() || read(value, into.emplace());
}
template <class T>
bool read(const Json& value, std::vector<T>& into) {
  if (!value.is_array()) return false;
  into.clear();
  return std::ranges::all_of(value,
                             [&into](const Json& item) { return read(item, into.emplace_back()); });
}

// The member of an object; false too when there is none.
template <class T>
bool read_member(const Json& object, const char* key, T& into) {
  const auto found = object.find(key);
  return found != object.end() && read(*found, into);
}

// A struct whose members `visit_all(value, visit)` names, each by visit("name", member): one list
// for both directions.
template <class T, class VisitAll>
Json object_of(const T& value, VisitAll visit_all) {
  Json object = Json::object();
  visit_all(value,
            [&object](const char* name, const auto& member) { object[name] = json_of(member); });
  return object;
}
// The way back: the name of a member that is missing or of another type; nothing when all are read.
template <class T, class VisitAll>
std::optional<std::string> read_object(const Json& object, T& into, VisitAll visit_all) {
  std::optional<std::string> wrong;
  visit_all(into, [&](const char* name, auto& member) {
    if (!read_member(object, name, member)) wrong = name;
  });
  return wrong;
}

}  // namespace pyhost::control
