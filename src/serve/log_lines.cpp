#include "serve/log_lines.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "serve/log_record.h"

namespace pyhost::serve {
namespace {

constexpr std::string_view kRed = "\x1b[31m", kYellow = "\x1b[33m", kPlain = "\x1b[0m";

bool is_grave(std::string_view level) {
  return level == "emerg" || level == "alert" || level == "crit" || level == "error";
}

// In quotes, ASCII only.
std::string json_text(std::string_view text) {
  using Json = nlohmann::json;
  return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
}

std::string text_of(const LogRecord& record) {
  return record.is_ours() ? unescaped(record.text) : base::printable(record.text, "\t");
}

std::string as_written(std::string_view line, const LogRecord& record) {
  const auto head = static_cast<std::size_t>(record.text.data() - line.data());
  return base::printable(line.substr(0, head)) + text_of(record);
}

std::string brief(const LogRecord& record, bool colours) {
  if (record.is_ours() && !record.has_id()) return text_of(record);
  std::string_view colour;
  if (is_grave(record.level)) colour = kRed;
  if (record.level == "warn") colour = kYellow;
  if (!colours || colour.empty()) return fmt::format("{}: {}", record.level, text_of(record));
  return fmt::format("{}{}:{} {}", colour, record.level, kPlain, text_of(record));
}

std::string as_json(const LogRecord& record) {
  std::string text =
      fmt::format(R"({{"time": {}, "level": {}, "module": {}, "pid": {})", json_text(record.time),
                  json_text(record.level), json_text(record.module), json_text(record.pid));
  if (!record.client.empty()) {
    text += fmt::format(R"(, "client": {})", json_text(record.client));
  }
  return text + fmt::format(R"(, "message": {}}})", json_text(text_of(record)));
}

}  // namespace

LogStyle log_style(std::string_view name) noexcept {
  if (name == "json") return LogStyle::json;
  return name == "httpd" ? LogStyle::as_written : LogStyle::brief;
}

std::optional<std::string> shown_record(std::string_view line, const LogView& view) {
  const auto record = parse_log_record(line);
  if (!record) {
    const std::string text = base::printable(line, "\t");
    return view.style == LogStyle::json ? fmt::format(R"({{"message": {}}})", json_text(text))
                                        : text;
  }
  const bool wanted = view.notices || (view.own_notices && record->is_ours());
  if (record->level == "notice" && !wanted) return std::nullopt;
  switch (view.style) {
    case LogStyle::as_written:
      return as_written(line, *record);
    case LogStyle::json:
      return as_json(*record);
    default:
      return brief(*record, view.colours);
  }
}

std::string shown_request(std::string_view line, LogStyle style) {
  std::string shown = base::printable(line, "\t");
  if (style != LogStyle::json) return shown;
  // httpd writes other bytes than printable ones as \xHH, which JSON does not know.
  for (auto at = shown.find('\\'); at != shown.npos; at = shown.find('\\', at + 2)) {
    if (shown.compare(at, 2, "\\x") == 0) shown.replace(at, 2, "\\u00");
  }
  return shown;
}

}  // namespace pyhost::serve
