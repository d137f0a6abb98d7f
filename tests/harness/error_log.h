// Reading httpd's error log.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pyhost::test {

// One line. httpd escapes line ends within a record, so a record is a line.
struct ErrorLogLine {
  std::string module;  // "core"; empty for a line that is no record (a process wrote it to stderr)
  std::string level;   // "warn"
  std::string text;    // the whole line
};

std::vector<ErrorLogLine> parse_error_log(std::string_view log);

// What is wrong with a log: every line at warn or worse, every line that is no record, every
// report of a child's death by a signal or of a sanitizer that contains none of the `expected` and
// `tolerated` texts, and every expected text that occurs nowhere. Empty when all is well. A crash
// that mod_crash_trace shows to be one that the event MPM has by itself counts as nothing.
std::vector<std::string> audit_error_log(std::string_view log,
                                         std::span<const std::string> expected,
                                         std::span<const std::string> tolerated = {});

}  // namespace pyhost::test
