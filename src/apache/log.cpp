#include "apache/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "apache/json_log.h"
#include "apache/log_levels.h"
#include "apache/pool.h"
#include "apache/record_split.h"

namespace pyhost::apache {
namespace {

// httpd cuts a line at 8192 bytes; its prefix and the referer want room too.
constexpr std::size_t kRecordBytesMax = 7000;

static_assert(static_cast<int>(base::LogLevel::emerg) == APLOG_EMERG);
static_assert(static_cast<int>(base::LogLevel::debug) == APLOG_DEBUG);
static_assert(static_cast<int>(base::LogLevel::trace) == APLOG_TRACE1);

int httpd_level(base::LogLevel level) noexcept {
  return static_cast<int>(level);
}

// `text` as a C string: a NUL would hide what follows it.
std::string c_text(std::string_view text) {
  std::string copy;
  copy.reserve(text.size());
  for (const char c : text) c == '\0' ? copy += "\\x00" : copy += c;
  return copy;
}

// Calls `write` with every record that an application's own output makes.
template <class Write>
void write_lines(std::string_view text, const Write& write) {
  for (std::size_t start = 0; start < text.size();) {
    const auto stop = std::min(text.find('\n', start), text.size());
    for (const auto piece : split_record(text.substr(start, stop - start), kRecordBytesMax)) {
      if (!piece.empty()) write(c_text(piece).c_str());
    }
    start = stop + 1;
  }
}

// Calls `write` with every record that `text` makes, which is to be one if it can.
template <class Write>
void write_whole(std::string_view head, std::string_view text, const Write& write) {
  const auto pieces = split_record(text, kRecordBytesMax);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto part =
        pieces.size() == 1 ? std::string() : fmt::format("({}/{})", i + 1, pieces.size());
    const std::string_view blank = head.empty() || part.empty() ? "" : " ";
    const std::string_view colon = head.empty() && part.empty() ? "" : ": ";
    write(fmt::format("{}{}{}{}{}", head, blank, part, colon, c_text(pieces[i])).c_str());
  }
}

template <class Write>
void write_records(base::Message message, std::string_view text, const Write& write) {
  if (message == base::Message::none) return write_lines(text, write);
  write_whole(id_of(message), text, write);
}

template <class Write>
void write_record(const base::ApplicationRecord& record, const Write& write) {
  if (record.traceback.empty()) return write_whole("", record.text, write);
  write_whole("", fmt::format("{}\n{}", record.text, record.traceback), write);
}

// "GET /cart".
std::string request_line_of(const request_rec* r) {
  constexpr std::size_t kPathBytesMax = 300;
  const std::string_view path = path_as_sent(r);
  const bool cut = path.size() > kPathBytesMax;
  return fmt::format("{} {}{}", view_or_empty(r->method), path.substr(0, kPathBytesMax),
                     cut ? "..." : "");
}

// What has gone wrong is said together with the request, behind the first line.
std::string with_request(const request_rec* r, std::string_view text) {
  const auto end = std::min(text.find('\n'), text.size());
  return fmt::format("{} [{}]{}", text.substr(0, end), request_line_of(r), text.substr(end));
}

// Applications print what LogLevel need not ask for.
bool keeps_record(const auto* where, base::LogLevel level, base::Message message) {
  return message == base::Message::none || keeps(where, level);
}

}  // namespace

void log_request(const request_rec* r, base::LogLevel level, base::Message message,
                 std::string_view text, const RecordSource& source) noexcept {
  if (!keeps_record(r, level, message)) return;
  const bool is_failure = message != base::Message::none && level <= base::LogLevel::warn;
  if (writes_json(r->server)) return write_json(r, level, message, text, source);
  const std::string full = is_failure ? with_request(r, text) : std::string();
  write_records(message, is_failure ? std::string_view(full) : text, [&](const char* record) {
    ap_log_rerror(APLOG_MARK, httpd_level(level), 0, r, "%s", record);
  });
}

void log_request(const request_rec* r, const base::ApplicationRecord& record,
                 const RecordSource& source) noexcept {
  if (!keeps(r, record.level)) return;
  if (writes_json(r->server)) return write_json(r, record, source);
  const std::string file(record.file);
  write_record(record, [&](const char* text) {
    ap_log_rerror_(file.c_str(), static_cast<int>(record.line), APLOG_MODULE_INDEX,
                   httpd_level(record.level), 0, r, "%s", text);
  });
}

void log_server(const server_rec* s, base::LogLevel level, base::Message message,
                std::string_view text) noexcept {
  if (s != nullptr && !keeps_record(s, level, message)) return;
  if (writes_json(s)) return write_json(s, level, message, text);
  write_records(message, text, [&](const char* record) {
    ap_log_error(APLOG_MARK, httpd_level(level), 0, s, "%s", record);
  });
}

void log_server(const server_rec* s, const base::ApplicationRecord& record) noexcept {
  if (!keeps(s, record.level)) return;
  if (writes_json(s)) return write_json(s, record);
  const std::string file(record.file);
  write_record(record, [&](const char* text) {
    ap_log_error_(file.c_str(), static_cast<int>(record.line), APLOG_MODULE_INDEX,
                  httpd_level(record.level), 0, s, "%s", text);
  });
}

bool ServerLog::wants(base::LogLevel level) const noexcept {
  return keeps(ap_server_conf, level);
}

void ServerLog::log(base::LogLevel level, base::Message message, std::string_view text) noexcept {
  log_server(ap_server_conf, level, message, text);
}

void ServerLog::log_application(const base::ApplicationRecord& record) noexcept {
  log_server(ap_server_conf, record);
}

}  // namespace pyhost::apache
