#include "control/worker_report.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "control/json_values.h"
#include "control/worker_descriptors.h"

namespace pyhost::control {
namespace {

using Kind = StatusReport::Kind;

// The member of a report that has its value; of those that have none it is true.
constexpr auto kKeys = std::to_array<std::pair<Kind, const char*>>({
    {Kind::step, "step"},
    {Kind::ready, "ready"},
    {Kind::failed, "failed"},
    {Kind::relieve, "relieve"},
    {Kind::draining, "draining"},
    {Kind::alive, "alive"},
    {Kind::outdated, "outdated"},
    {Kind::imported, "imported"},
    {Kind::lacks, "lacks"},
    {Kind::import_again, "import_again"},
    {Kind::asks, "asks"},
    {Kind::keeping, "keeping"},
});
// Beside the file of "outdated", and the script of "lacks".
constexpr char kFileKey[] = "file";
constexpr char kWhyKey[] = "why";

// By EndReason.
constexpr auto kReasons = std::to_array<std::string_view>(
    {"stop", "eviction", "maximum-requests", "restart-interval", "inactivity-timeout",
     "request-timeout", "deadlock-timeout", "startup-timeout", "cpu-time-limit", "memory-limit",
     "lifespan-lost", "silence"});
static_assert(kReasons.size() == static_cast<std::size_t>(EndReason::silence) + 1);

// By StartStep.
constexpr auto kSteps = std::to_array<std::string_view>({"python", "preload"});
static_assert(kSteps.size() == static_cast<std::size_t>(StartStep::preload) + 1);

// Somebody may raise an exception of any length, over many lines.
std::string first_line(std::string_view why) {
  constexpr std::size_t kBytesMax = 1000;
  return std::string(why.substr(0, std::min(why.find('\n'), kBytesMax)));
}

// False for a name that none of them has.
template <class Enum, std::size_t count>
bool read_name(const Json& value, const std::array<std::string_view, count>& names, Enum& into) {
  const auto* text = value.get_ptr<const Json::string_t*>();
  const auto found = text == nullptr ? names.end() : std::ranges::find(names, *text);
  if (found == names.end()) return false;
  into = static_cast<Enum>(found - names.begin());
  return true;
}

// A sentence for people, whatever bytes it has.
bool read_sentence(const Json& value, std::string& into) {
  const auto* text = value.get_ptr<const Json::string_t*>();
  if (text != nullptr) into = *text;
  return text != nullptr;
}

Json value_of(const StatusReport& report) {
  switch (report.kind) {
    case Kind::step:
      return name_of(report.step);
    case Kind::relieve:
    case Kind::draining:
      return name_of(report.reason);
    case Kind::failed:
    case Kind::outdated:
      return report.text;
    case Kind::imported:
    case Kind::lacks:
    case Kind::import_again:
      return json_of(report.script);
    case Kind::ready:
    case Kind::alive:
    case Kind::asks:
    case Kind::keeping:
      break;
  }
  return true;
}

bool read_value(const Json& value, StatusReport& report) {
  switch (report.kind) {
    case Kind::step:
      return read_name(value, kSteps, report.step);
    case Kind::relieve:
    case Kind::draining:
      return read_name(value, kReasons, report.reason);
    case Kind::failed:
    case Kind::outdated:
      return read_sentence(value, report.text);
    case Kind::imported:
    case Kind::lacks:
    case Kind::import_again:
      return read(value, report.script);
    case Kind::ready:
    case Kind::alive:
    case Kind::asks:
    case Kind::keeping:
      break;
  }
  return value == true;
}

}  // namespace

std::string_view name_of(EndReason reason) noexcept {
  return kReasons[static_cast<std::size_t>(reason)];
}

std::string_view name_of(StartStep step) noexcept {
  return kSteps[static_cast<std::size_t>(step)];
}

std::string to_json(const StatusReport& report) {
  const auto* const key =
      std::ranges::find(kKeys, report.kind, &std::pair<Kind, const char*>::first);
  Json object{{key->second, value_of(report)}};
  if (report.kind == Kind::outdated) object[kFileKey] = json_of(report.file);
  if (report.kind == Kind::lacks) object[kWhyKey] = first_line(report.text);
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<StatusReport> parse_status(std::string_view line) {
  const Json object = Json::parse(line, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  for (const auto& [kind, key] : kKeys) {
    const auto value = object.find(key);
    if (value == object.end()) continue;
    StatusReport report{.kind = kind};
    if (!read_value(*value, report)) return std::nullopt;
    if (kind == Kind::outdated && !read_member(object, kFileKey, report.file)) {
      report.file = base::kNoFile;
    }
    if (const auto why = object.find(kWhyKey); kind == Kind::lacks && why != object.end()) {
      read_sentence(*why, report.text);
    }
    return report;
  }
  return std::nullopt;
}

bool report(const StatusReport& report) {
  const std::string line = to_json(report) + "\n";
  return ::write(kWorkerStatusFd, line.data(), line.size()) > 0;
}

bool report_failure(std::string_view sentence) {
  return report({.kind = Kind::failed, .text = std::string(sentence)});
}

std::vector<StatusReport> StatusReader::read() {
  std::vector<StatusReport> reports;
  for (const std::string& line : lines_.read()) {
    if (auto report = parse_status(line)) reports.push_back(*std::move(report));
  }
  return reports;
}

}  // namespace pyhost::control
