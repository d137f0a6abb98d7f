#include "base/file_log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "base/json_record.h"
#include "base/log_level.h"
#include "base/out_of_memory.h"
#include "base/printable.h"

namespace pyhost::base {
namespace {

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

std::string head_of_line(LogLevel level) {
  return fmt::format("[{}] [wsgi:{}] [pid {}:tid {}] ", time_stamp(), name_of(level), getpid(),
                     gettid());
}

JsonRecord of_this_thread(JsonRecord record) {
  record.time_us = std::chrono::duration_cast<std::chrono::microseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  record.pid = getpid();
  record.thread = gettid();
  return record;
}

// A log that cannot be written to has nowhere to complain.
void write_line(int file, std::string_view line) noexcept {
  [[maybe_unused]] const ssize_t written = write(file, line.data(), line.size());
}

// The record as far as it can be written without memory for it.
void write_briefly(int file, LogLevel level, Message message, std::string_view text) noexcept {
  std::array<char, 512> line;
  std::array<char, 64> id{};
  if (message != Message::none) {
    std::snprintf(id.data(), id.size(), "%.*s: ", static_cast<int>(id_of(message).size()),
                  id_of(message).data());
  }
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::size_t end =
      std::strftime(line.data(), line.size(), "[%a %b %d %H:%M:%S.000000 %Y] ", &local);
  const int head =
      std::snprintf(line.data() + end, line.size() - end, "[wsgi:%s] [pid %d:tid %d] %s",
                    name_of(level).data(), getpid(), gettid(), id.data());
  end += static_cast<std::size_t>(head);
  for (const char c : text.substr(0, line.size() - end - 1)) {
    const bool plain = c >= ' ' && c <= '~';
    line[end++] = plain ? c : '?';
  }
  line[end++] = '\n';
  write_line(file, {line.data(), end});
}

}  // namespace

void FileLog::reopen(UniqueFd file) noexcept {
  if (file_.valid()) {
    dup3(file.get(), file_.get(), O_CLOEXEC);
  } else {
    file_ = std::move(file);
  }
}

std::string format_record(const LogRules& rules, LogLevel level, Message message,
                          std::string_view text) {
  if (rules.form == LogForm::json) {
    return to_json_line(split_traceback(
        of_this_thread({.level = level, .message = message, .text = text, .group = rules.group})));
  }
  std::string line = head_of_line(level);
  if (message != Message::none) line += fmt::format("{}: ", id_of(message));
  append_printable(line, text);
  line += '\n';
  return line;
}

std::string format_record(const LogRules& rules, const ApplicationRecord& record) {
  if (rules.form == LogForm::json) {
    return to_json_line(of_this_thread({.level = record.level,
                                        .logger = record.logger,
                                        .text = record.text,
                                        .traceback = record.traceback,
                                        .file = record.file,
                                        .line = record.line,
                                        .group = rules.group}));
  }
  std::string line = head_of_line(record.level);
  append_printable(line, record.text);
  if (!record.traceback.empty()) {
    line += "\\n";
    append_printable(line, record.traceback);
  }
  line += '\n';
  return line;
}

void FileLog::log(LogLevel level, Message message, std::string_view text) noexcept {
  if (!rules_.keeps(level, message)) return;
  unless_out_of_memory([&] { write_line(fd(), format_record(rules_, level, message, text)); },
                       [&] { write_briefly(fd(), level, message, text); });
}

void FileLog::log_application(const ApplicationRecord& record) noexcept {
  if (!wants(record.level)) return;
  unless_out_of_memory([&] { write_line(fd(), format_record(rules_, record)); },
                       [&] { write_briefly(fd(), record.level, Message::none, record.text); });
}

}  // namespace pyhost::base
