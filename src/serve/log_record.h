// One line of httpd's error log, taken apart.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pyhost::serve {

// Views into the line.
struct LogRecord {
  std::string_view time;    // "Sun Nov 29 20:36:52.335821 2026"
  std::string_view module;  // "wsgi"
  std::string_view level;   // "error"
  std::string_view pid;
  std::string_view client;  // "127.0.0.1:58414", or ""
  std::string_view text;    // as httpd has escaped it

  bool is_ours() const noexcept { return module == "wsgi"; }
  // Of the module itself, and not what an application has written.
  bool has_id() const noexcept;
};

// Nothing for a line that does not begin as a record does.
std::optional<LogRecord> parse_log_record(std::string_view line);

// What httpd has escaped in a record of our module: line ends, tabs, quotes, backslashes and UTF-8
// text become themselves again. What is not printable stays escaped: the text may come from a
// client, and a terminal obeys it.
std::string unescaped(std::string_view text);

}  // namespace pyhost::serve
