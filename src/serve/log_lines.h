// What the terminal shows of httpd's logs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pyhost::serve {

enum class LogStyle {
  as_written,  // as httpd writes records, with their line ends
  brief,       // an application's lines as they are, of others what and how bad
  json,        // an object on a line
};

// The style that an option names: "httpd", "short" or "json".
LogStyle log_style(std::string_view name) noexcept;

struct LogView {
  LogStyle style = LogStyle::brief;
  // httpd logs starts and stops as notices, whatever its LogLevel.
  bool notices = false;
  bool own_notices = false;  // those of our module are wanted
  bool colours = false;
};

// One line of the error log, without its end, as it is to be shown; nothing when it is not.
// Whatever a terminal would obey is escaped.
std::optional<std::string> shown_record(std::string_view line, const LogView& view);

// The same for one of the access log.
std::string shown_request(std::string_view line, LogStyle style);

}  // namespace pyhost::serve
