#include "pyhost/base/file_log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>

#include "pyhost/base/printable.h"

namespace pyhost::base {
namespace {

constexpr std::array<std::string_view, 9> kLevelNames{"emerg",  "alert", "crit",  "error", "warn",
                                                      "notice", "info",  "debug", "trace1"};

std::string time_stamp() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto fraction =
      std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()) %
      std::chrono::seconds(1);
  std::tm local{};
  localtime_r(&seconds, &local);
  return fmt::format("{:%a %b %d %H:%M:%S}.{:06} {:%Y}", local, fraction.count(), local);
}

}  // namespace

void FileLog::reopen(UniqueFd file) noexcept {
  if (file_.valid()) {
    dup3(file.get(), file_.get(), O_CLOEXEC);
  } else {
    file_ = std::move(file);
  }
}

void FileLog::log(LogLevel level, Message message, std::string_view text) noexcept {
  if (!wants(level)) return;
  std::string line = fmt::format("[{}] [wsgi:{}] [pid {}:tid {}] ", time_stamp(),
                                 kLevelNames[static_cast<std::size_t>(level)], getpid(), gettid());
  if (message != Message::none) line += fmt::format("{}: ", id_of(message));
  append_printable(line, text);
  line += '\n';
  // A log that cannot be written to has nowhere to complain.
  [[maybe_unused]] const ssize_t written = write(fd(), line.data(), line.size());
}

}  // namespace pyhost::base
