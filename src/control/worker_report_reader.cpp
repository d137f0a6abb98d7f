#include "control/worker_report_reader.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_text.h"

namespace pyhost::control {
namespace {

using Json = nlohmann::json;

std::optional<control::Preload> parse_import(const Json& texts) {
  constexpr std::size_t kTexts = 3;
  if (!texts.is_array() || texts.size() != kTexts) return std::nullopt;
  std::array<std::string, kTexts> bytes;
  for (std::size_t i = 0; i < kTexts; ++i) {
    const auto* text = texts[i].get_ptr<const Json::string_t*>();
    auto decoded = text == nullptr ? std::nullopt : base::bytes_of_json_text(*text);
    if (!decoded) return std::nullopt;
    bytes[i] = *std::move(decoded);
  }
  return control::Preload{bytes[0], bytes[1], bytes[2]};
}

// kNoFile for what is none.
base::FileIdentity parse_file(const Json& numbers) {
  constexpr std::size_t kNumbers = 5;
  const auto is_number = [](const Json& number) { return number.is_number_integer(); };
  if (!numbers.is_array() || numbers.size() != kNumbers ||
      !std::ranges::all_of(numbers, is_number)) {
    return base::kNoFile;
  }
  return {.device = numbers[0].get<std::uint64_t>(),
          .inode = numbers[1].get<std::uint64_t>(),
          .bytes = numbers[2].get<std::int64_t>(),
          .modified_us = numbers[3].get<std::int64_t>(),
          .changed_us = numbers[4].get<std::int64_t>()};
}

std::optional<StatusReport> parse_script_report(const Json& report) {
  using Kind = StatusReport::Kind;
  for (const auto& [key, kind] :
       {std::pair("imported", Kind::imported), std::pair("lacks", Kind::lacks),
        std::pair("import_again", Kind::import_again)}) {
    const auto found = report.find(key);
    auto script = found == report.end() ? std::nullopt : parse_import(*found);
    if (!script) continue;
    const auto why = report.find("why");
    const auto* text = why == report.end() ? nullptr : why->get_ptr<const Json::string_t*>();
    return StatusReport{kind, text == nullptr ? "" : *text, *std::move(script)};
  }
  return std::nullopt;
}

}  // namespace

std::optional<StatusReport> parse_status(std::string_view line) {
  const Json report = Json::parse(line, nullptr, false);
  if (!report.is_object()) return std::nullopt;
  const auto text_of = [&report](const char* key) -> const std::string* {
    const auto found = report.find(key);
    return found == report.end() ? nullptr : found->get_ptr<const Json::string_t*>();
  };
  if (const auto* text = text_of("failed")) return StatusReport{StatusReport::Kind::failed, *text};
  if (const auto* text = text_of("step")) return StatusReport{StatusReport::Kind::step, *text};
  if (const auto* text = text_of("relieve")) {
    return StatusReport{StatusReport::Kind::relieve, *text};
  }
  if (const auto* text = text_of("draining")) {
    return StatusReport{StatusReport::Kind::draining, *text};
  }
  if (const auto* text = text_of("outdated")) {
    StatusReport outdated{StatusReport::Kind::outdated, *text};
    const auto file = report.find("file");
    if (file != report.end()) outdated.file = parse_file(*file);
    return outdated;
  }
  if (auto about_script = parse_script_report(report)) return about_script;
  const auto says = [&report](const char* key) {
    const auto found = report.find(key);
    return found != report.end() && *found == true;
  };
  if (says("ready")) return StatusReport{StatusReport::Kind::ready, ""};
  if (says("alive")) return StatusReport{StatusReport::Kind::alive, ""};
  if (says("asks")) return StatusReport{StatusReport::Kind::asks, ""};
  if (says("keeping")) return StatusReport{StatusReport::Kind::keeping, ""};
  return std::nullopt;
}

std::vector<StatusReport> StatusReader::read() {
  std::vector<StatusReport> reports;
  for (const std::string& line : lines_.read()) {
    if (auto report = parse_status(line)) reports.push_back(*std::move(report));
  }
  return reports;
}

}  // namespace pyhost::control
