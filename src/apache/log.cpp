#include "apache/log.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

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

// Calls `write` with every record that `text` makes.
template <class Write>
void write_records(base::Message message, std::string_view text, const Write& write) {
  if (message == base::Message::none) return write_lines(text, write);
  const auto pieces = split_record(text, kRecordBytesMax);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto part =
        pieces.size() == 1 ? std::string() : fmt::format(" ({}/{})", i + 1, pieces.size());
    write(fmt::format("{}{}: {}", id_of(message), part, c_text(pieces[i])).c_str());
  }
}

// "GET /cart", as the client has sent it, without what may be secret in it.
std::string request_line_of(const request_rec* r) {
  constexpr std::size_t kPathBytesMax = 300;
  std::string_view path = view_or_empty(r->unparsed_uri != nullptr ? r->unparsed_uri : r->uri);
  path = path.substr(0, path.find('?'));
  const bool cut = path.size() > kPathBytesMax;
  return fmt::format("{} {}{}", view_or_empty(r->method), path.substr(0, kPathBytesMax),
                     cut ? "..." : "");
}

// What has gone wrong is said together with the request, behind the first line.
std::string with_request(const request_rec* r, std::string_view text) {
  const auto end = std::min(text.find('\n'), text.size());
  return fmt::format("{} [{}]{}", text.substr(0, end), request_line_of(r), text.substr(end));
}

}  // namespace

bool wants(const request_rec* r, base::LogLevel level) noexcept {
  return APLOG_R_IS_LEVEL(r, httpd_level(level));
}

void log_request(const request_rec* r, base::LogLevel level, base::Message message,
                 std::string_view text) noexcept {
  if (!wants(r, level)) return;
  const bool is_failure = message != base::Message::none && level <= base::LogLevel::warn;
  const std::string full = is_failure ? with_request(r, text) : std::string();
  write_records(message, is_failure ? std::string_view(full) : text, [&](const char* record) {
    ap_log_rerror(APLOG_MARK, httpd_level(level), 0, r, "%s", record);
  });
}

void log_server(const server_rec* s, base::LogLevel level, base::Message message,
                std::string_view text) noexcept {
  write_records(message, text, [&](const char* record) {
    ap_log_error(APLOG_MARK, httpd_level(level), 0, s, "%s", record);
  });
}

bool ServerLog::wants(base::LogLevel level) const noexcept {
  return APLOG_IS_LEVEL(ap_server_conf, httpd_level(level));
}

void ServerLog::log(base::LogLevel level, base::Message message, std::string_view text) noexcept {
  log_server(ap_server_conf, level, message, text);
}

}  // namespace pyhost::apache
