#include "control/status_answer.h"

#include <algorithm>
#include <concepts>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

namespace pyhost::control {
namespace {

// People read it too: members stay in their order.
using OrderedJson = nlohmann::ordered_json;

// --- One list of members for both directions ---

template <class T, class Visit>
void visit_members(T& answer,
                   Visit&& visit) requires std::same_as<std::remove_const_t<T>, StatusAnswer> {
  visit("supervisor", answer.supervisor);
  visit("refused", answer.refused);
  visit("groups", answer.groups);
}

template <class T, class Visit>
void visit_members(T& supervisor, Visit&& visit) requires
    std::same_as<std::remove_const_t<T>, StatusAnswer::Supervisor> {
  visit("pid", supervisor.pid);
}

template <class T, class Visit>
void visit_members(T& refusal, Visit&& visit) requires
    std::same_as<std::remove_const_t<T>, StatusAnswer::Refusal> {
  visit("reason", refusal.reason);
  visit("since_us", refusal.since_us);
}

template <class T, class Visit>
void visit_members(
    T& group, Visit&& visit) requires std::same_as<std::remove_const_t<T>, StatusAnswer::Group> {
  visit("name", group.name);
  visit("state", group.state);
  visit("reason", group.reason);
  visit("processes", group.processes);
  visit("threads", group.threads);
  visit("waiting", group.waiting);
  visit("workers", group.workers);
  visit("scripts", group.scripts);
  visit("running", group.running);
}

template <class T, class Visit>
void visit_members(T& request, Visit&& visit) requires
    std::same_as<std::remove_const_t<T>, StatusAnswer::Request> {
  visit("method", request.method);
  visit("path", request.path);
  visit("id", request.id);
  visit("age_us", request.age_us);
  visit("slot", request.slot);
  visit("pid", request.pid);
}

template <class T, class Visit>
void visit_members(
    T& worker, Visit&& visit) requires std::same_as<std::remove_const_t<T>, StatusAnswer::Worker> {
  visit("slot", worker.slot);
  visit("role", worker.role);
  visit("state", worker.state);
  visit("pid", worker.pid);
  visit("generation", worker.generation);
  visit("requests", worker.requests);
  visit("busy_threads", worker.busy_threads);
  visit("resident_bytes", worker.resident_bytes);
  visit("processor_us", worker.processor_us);
  visit("last_death", worker.last_death);
}

template <class T, class Visit>
void visit_members(
    T& death, Visit&& visit) requires std::same_as<std::remove_const_t<T>, StatusAnswer::Death> {
  visit("generation", death.generation);
  visit("pid", death.pid);
  visit("time_us", death.time_us);
  visit("description", death.description);
}

template <class T, class Visit>
void visit_members(
    T& script, Visit&& visit) requires std::same_as<std::remove_const_t<T>, StatusAnswer::Script> {
  visit("application_group", script.application_group);
  visit("script", script.script);
  visit("state", script.state);
  visit("reason", script.reason);
  visit("since_us", script.since_us);
  visit("slots", script.slots);
}

// --- Writing ---

OrderedJson written(const std::string& text) {
  return text;
}

template <std::integral T>
OrderedJson written(const T& number) {
  return number;
}

template <class T>
OrderedJson written(const std::optional<T>& value);
template <class T>
OrderedJson written(const std::vector<T>& values);

template <class T>
OrderedJson written(const T& object) {
  OrderedJson json = OrderedJson::object();
  visit_members(object,
                [&json](const char* key, const auto& member) { json[key] = written(member); });
  return json;
}

template <class T>
OrderedJson written(const std::optional<T>& value) {
  return value ? written(*value) : OrderedJson();
}

template <class T>
OrderedJson written(const std::vector<T>& values) {
  OrderedJson list = OrderedJson::array();
  for (const T& value : values) list.push_back(written(value));
  return list;
}

// --- Reading: false for another type. A list of objects that are none spoils the whole answer ---

bool read(const OrderedJson& json, std::string& into) {
  const auto* text = json.get_ptr<const OrderedJson::string_t*>();
  if (text != nullptr) into = *text;
  return text != nullptr;
}

template <std::integral T>
bool read(const OrderedJson& json, T& into) {
  if (!json.is_number_integer()) return false;
  const bool fits = json.is_number_unsigned() ? std::in_range<T>(json.get<std::uint64_t>())
                                              : std::in_range<T>(json.get<std::int64_t>());
  if (fits) into = json.get<T>();
  return fits;
}

template <class T>
bool read(const OrderedJson& json, std::optional<T>& into);
template <class T>
bool read(const OrderedJson& json, std::vector<T>& into);

template <class T>
bool read(const OrderedJson& json, T& into) {
  if (!json.is_object()) return false;
  bool good = true;
  visit_members(into, [&](const char* key, auto& member) {
    const auto found = json.find(key);
    if (found == json.end() || read(*found, member)) return;
    constexpr bool is_list = requires {
      member.push_back({});
      member.front().state;
    };
    if (is_list) good = false;
  });
  return good;
}

template <class T>
bool read(const OrderedJson& json, std::optional<T>& into) {
  T value{};
  if (!read(json, value)) return false;
  into = std::move(value);
  return true;
}

template <class T>
bool read(const OrderedJson& json, std::vector<T>& into) {
  return json.is_array() && std::ranges::all_of(json, [&into](const OrderedJson& item) {
           return read(item, into.emplace_back());
         });
}

}  // namespace

std::string to_json(const StatusAnswer& answer) {
  return written(answer).dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

base::Result<StatusAnswer> parse_status_answer(std::string_view text) {
  const OrderedJson json = OrderedJson::parse(text, nullptr, false);
  const auto has_workers = [](const OrderedJson& group) { return group.contains("workers"); };
  StatusAnswer answer;
  if (!json.is_object() || !json.contains("groups") || !read(json, answer) ||
      !std::ranges::all_of(json["groups"], has_workers)) {
    return base::fail("the supervisor's answer is not understood; it may be of another version");
  }
  return answer;
}

}  // namespace pyhost::control
