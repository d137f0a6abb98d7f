#include "worker/process_log.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <string>

namespace pyhost::worker {
namespace {

constexpr std::array<std::string_view, 9> kLevelNames{"emerg",  "alert", "crit",  "error", "warn",
                                                      "notice", "info",  "debug", "trace1"};

// "Sun Nov 22 14:38:34.123456 2026", httpd's own form.
std::string now_text() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  tm parts{};
  ::localtime_r(&now.tv_sec, &parts);
  std::array<char, 32> day{};
  ::strftime(day.data(), day.size(), "%a %b %d %H:%M:%S", &parts);
  constexpr long kNanosecondsPerMicrosecond = 1000;
  constexpr int kFirstYear = 1900;
  return fmt::format("{}.{:06} {}", day.data(), now.tv_nsec / kNanosecondsPerMicrosecond,
                     parts.tm_year + kFirstYear);
}

void append_escaped(std::string_view text, std::string& line) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      line += "\\n";
    } else if ((byte < 0x20 && c != '\t') || byte == 0x7F) {
      line += fmt::format("\\x{:02x}", byte);
    } else {
      line.push_back(c);
    }
  }
}

}  // namespace

void ProcessLog::log(base::LogLevel level, base::Message message, std::string_view text) noexcept {
  if (!wants(level)) return;
  std::string line =
      fmt::format("[{}] [wsgi:{}] [pid {}:tid {}] ", now_text(),
                  kLevelNames[static_cast<std::size_t>(level)], ::getpid(), ::gettid());
  if (message != base::Message::none) line.append(base::id_of(message)).append(": ");
  append_escaped(text, line);
  line.push_back('\n');
  static_cast<void>(!::write(fd_, line.data(), line.size()));
}

}  // namespace pyhost::worker
