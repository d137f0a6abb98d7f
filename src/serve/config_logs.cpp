// The logs.
#include "serve/config_lines.h"
#include "serve/config_words.h"

namespace pyhost::serve {
namespace {

constexpr char kCommon[] = "%h %l %u %t \"%r\" %>s %b";
constexpr char kCombined[] = "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"";

// A JSON object, but for the escapes of httpd in its texts.
constexpr char kJson[] =
    R"({"time": "%{%Y-%m-%dT%H:%M:%S%z}t", "client": "%a", "user": "%u", "request": "%r", )"
    R"("status": %>s, "bytes": %B, "microseconds": %D, "agent": "%{User-Agent}i"})";

std::string_view format_of(const std::string& name) {
  if (name == "json") return kJson;
  if (name == "common") return kCommon;
  if (name == "combined") return kCombined;
  return name;
}

std::string rotated(const std::string& file, const ServerPlan& plan, int megabytes) {
  std::string name;
  for (const char c : file) {
    if (c == '"' || c == '\\') name += '\\';
    if (c == '%') name += c;
    name += c;
  }
  return config_word(
      fmt::format("|{} -l \"{}.%Y-%m-%d-%H_%M_%S\" {}M", plan.rotatelogs, name, megabytes));
}

// Where a log goes: a file, or a program that begins a new one from time to time.
std::string log_word(const std::string& log, const ConfigSource& source) {
  const bool is_file = log != kTerminalErrors && log != kTerminalRequests;
  return is_file && source.options.rotate_logs
             ? rotated(log, source.plan, source.options.max_log_size)
             : config_word(log);
}

}  // namespace

void write_logs(ConfigLines& lines, const ConfigSource& source) {
  lines.heading("Logs");
  lines.line("ErrorLog {}", log_word(source.plan.error_log, source));
  // What the terminal shows is made of that.
  if (source.plan.error_log == kTerminalErrors) {
    lines.line("ErrorLogFormat \"[%{{u}}t] [%-m:%l] [pid %P:tid %T] %E: [client\\ %a] %M\"");
  }
  // Which file has changed is said as a notice.
  const bool tells_changes =
      source.options.reload && !source.options.has("log-level") && source.site.runs_python();
  lines.line("LogLevel {}{}", source.options.log_level, tells_changes ? " wsgi:notice" : "");
  if (source.plan.access_log.empty()) return;
  const bool as_json = source.options.log_format == "json" &&
                       source.plan.access_log == kTerminalRequests &&
                       !source.options.has("access-log-format");
  lines.line("CustomLog {} {}", log_word(source.plan.access_log, source),
             config_word(format_of(as_json ? "json" : source.options.access_log_format)));
}

}  // namespace pyhost::serve
