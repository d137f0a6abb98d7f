#include "harness/error_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace pyhost::test {
namespace {

constexpr auto kNoted =
    std::to_array<std::string_view>({"emerg", "alert", "crit", "error", "warn"});

// These count at any level: httpd logs a child's death as a notice.
constexpr auto kAlarming = std::to_array<std::string_view>(
    {"exit signal", "AddressSanitizer", "ThreadSanitizer", "LeakSanitizer", "runtime error:"});

bool contains_any(std::string_view text, const auto& needles) {
  return std::ranges::any_of(needles,
                             [&](const auto& needle) { return text.find(needle) != text.npos; });
}

// {"time": "...", "level": "error", ...: what WSGILogging json makes of our records.
ErrorLogLine parse_object(std::string_view line) {
  constexpr std::string_view kLevel = R"("level": ")";
  ErrorLogLine parsed{.text = std::string(line)};
  const auto at = line.find(kLevel);
  if (at == line.npos) return parsed;
  const std::string_view level = line.substr(at + kLevel.size());
  parsed.module = "wsgi";
  parsed.level = level.substr(0, level.find('"'));
  return parsed;
}

// "[Sun Nov 22 13:07:24.996085 2026] [core:warn] [pid 5181:tid 5181] ..."
ErrorLogLine parse_line(std::string_view line) {
  if (line.starts_with('{')) return parse_object(line);
  ErrorLogLine parsed{.text = std::string(line)};
  const auto open = line.find("] [");
  if (!line.starts_with('[') || open == line.npos) return parsed;
  const std::string_view tag = line.substr(open + 3, line.find(']', open + 3) - open - 3);
  const auto colon = tag.find(':');
  if (colon == tag.npos) return parsed;
  parsed.module = tag.substr(0, colon);
  parsed.level = tag.substr(colon + 1);
  return parsed;
}

bool needs_declaration(const ErrorLogLine& line) {
  return line.level.empty() || std::ranges::find(kNoted, line.level) != kNoted.end() ||
         contains_any(line.text, kAlarming);
}

// What httpd's MPMs do by themselves when a child is to end at once, seen without our module too:
// see docs/RELIABILITY.md. The main thread closes the connections of the child, while threads of it
// may be freeing the same ones; and a child that is still being made leaves in the middle of
// malloc(), before it has initialised its modules.
bool is_crash_of_mpm(std::string_view text, const std::vector<ErrorLogLine>& log) {
  constexpr std::string_view kChild = "child pid ";
  constexpr std::string_view kCrashed = "crashed with signal 11 in ";
  // The return of the handler, which a sanitizer puts a frame of its own before.
  constexpr std::string_view kReturn = "libc.so.6 < ";
  constexpr std::array<std::string_view, 2> kPlaces{
      "libapr-1.so.0:apr_os_sock_get < mod_mpm_event.so",
      "libapr-1.so.0:apr_pool_cleanup_kill < libapr-1.so.0:apr_pool_cleanup_run < "
      "mod_mpm_event.so"};
  constexpr std::string_view kInitialised = "initialises its modules";
  const auto child = text.find(kChild);
  if (child == text.npos) return false;
  const std::string_view pid = text.substr(child + kChild.size());
  const std::string tag = fmt::format("[pid {}:", pid.substr(0, pid.find(' ')));
  const auto says = [](const ErrorLogLine& line, std::string_view words) {
    return line.text.find(words) != line.text.npos;
  };
  bool children_say_so = false, initialised = false;
  for (const ErrorLogLine& line : log) {
    const bool by_child = says(line, tag);
    const bool in_place = std::ranges::any_of(kPlaces, [&](std::string_view place) {
      return says(line, fmt::format("{}{}", kCrashed, place)) ||
             says(line, fmt::format("{}{}{}", kCrashed, kReturn, place));
    });
    if (by_child && in_place) return true;
    children_say_so |= says(line, kInitialised);
    initialised |= by_child && says(line, kInitialised);
  }
  return children_say_so && !initialised;
}

// What the C library says before it ends a process, without a word of whose: of one that is ended
// by the MPM in the middle of malloc(), as above.
bool is_last_word_of_malloc(std::string_view text, const std::vector<ErrorLogLine>& log) {
  constexpr std::array<std::string_view, 4> kBeginnings{"corrupted ", "double free or corruption",
                                                        "malloc", "free(): "};
  const bool is_one = std::ranges::any_of(
      kBeginnings, [text](std::string_view beginning) { return text.starts_with(beginning); });
  return is_one && std::ranges::any_of(log, [&log](const ErrorLogLine& line) {
           return line.text.find("exit signal Abort") != line.text.npos &&
                  is_crash_of_mpm(line.text, log);
         });
}

}  // namespace

std::vector<ErrorLogLine> parse_error_log(std::string_view log) {
  std::vector<ErrorLogLine> lines;
  while (!log.empty()) {
    const auto end = std::min(log.find('\n'), log.size());
    if (end > 0) lines.push_back(parse_line(log.substr(0, end)));
    log.remove_prefix(std::min(end + 1, log.size()));
  }
  return lines;
}

std::vector<std::string> audit_error_log(std::string_view log,
                                         std::span<const std::string> expected,
                                         std::span<const std::string> tolerated) {
  std::vector<std::string> complaints;
  const std::vector<ErrorLogLine> lines = parse_error_log(log);
  for (const ErrorLogLine& line : lines) {
    if (needs_declaration(line) && !contains_any(line.text, expected) &&
        !contains_any(line.text, tolerated) && !is_crash_of_mpm(line.text, lines) &&
        !is_last_word_of_malloc(line.text, lines)) {
      complaints.push_back("unexpected in the error log: " + line.text);
    }
  }
  for (const std::string& text : expected) {
    if (log.find(text) == log.npos) {
      complaints.push_back("expected in the error log, but not there: " + text);
    }
  }
  return complaints;
}

}  // namespace pyhost::test
