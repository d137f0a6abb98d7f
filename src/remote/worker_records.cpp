#include "remote/worker_records.h"

#include <fmt/format.h>

#include <algorithm>

#include "remote/worker_words.h"
#include "wire/messages.h"

namespace pyhost::remote {

using base::LogLevel;
using base::Message;

namespace {

// Worse than that concerns all of httpd, and is not for a worker to say.
LogLevel worst_of_worker(LogLevel level) noexcept {
  return std::max(level, LogLevel::crit);
}

}  // namespace

void WorkerRecords::take(std::string_view payload) {
  const auto record = wire::decode_log(payload);
  if (!record) return;
  const LogLevel level = worst_of_worker(record->level);
  // What is printed may be kept where others are not.
  const bool is_wanted = record->message == Message::none || log_.wants(level);
  if (!is_wanted || !allowance_.admit(record->text, base::Clock::now())) return;
  tell_left_out();
  const bool known = record->message == Message::none || !base::id_of(record->message).empty();
  const bool is_own = record->message != Message::none;
  const std::string named =
      is_own && level <= LogLevel::warn ? with_worker(record->text) : std::string();
  log_.log(level, known ? record->message : Message::foreign_record,
           named.empty() ? record->text : named);
  failure_told_ |= known && is_own && level <= LogLevel::error;
}

void WorkerRecords::take_application(std::string_view payload) {
  auto record = wire::decode_record(payload);
  if (!record) return;
  record->level = worst_of_worker(record->level);
  // Python's logging makes one record of it, however many lines it has.
  if (!log_.wants(record->level) || !allowance_.admit(payload, base::Clock::now())) return;
  tell_left_out();
  log_.log_application(*record);
}

// Behind the first line, where a traceback may follow.
std::string WorkerRecords::with_worker(std::string_view text) const {
  const auto end = std::min(text.find('\n'), text.size());
  return fmt::format("{} ({}){}", text.substr(0, end), name_of(settings_, worker_),
                     text.substr(end));
}

void WorkerRecords::tell_left_out() {
  const auto [records, bytes] = allowance_.take_left_out();
  if (records == 0) return;
  lines_left_out_ += records;
  log_.log(LogLevel::warn, Message::records_left_out,
           fmt::format("{} lines of {} bytes that process group '{}' logged were left out", records,
                       bytes, settings_.group.name));
}

}  // namespace pyhost::remote
