#include "remote/worker_records.h"

#include <fmt/format.h>

#include <algorithm>

#include "remote/worker_words.h"
#include "wire/messages.h"

namespace pyhost::remote {

using base::LogLevel;
using base::Message;

void WorkerRecords::take(std::string_view payload) {
  const auto record = wire::decode_log(payload);
  if (!record) return;
  // Worse than that concerns all of httpd, and is not for a worker to say.
  const LogLevel level = std::max(record->level, LogLevel::crit);
  if (!log_.wants(level) || !allowance_.admit(record->text, base::Clock::now())) return;
  tell_left_out();
  const bool known = record->message == Message::none || !base::id_of(record->message).empty();
  const bool is_own = record->message != Message::none;
  const std::string named =
      is_own && level <= LogLevel::warn ? with_worker(record->text) : std::string();
  log_.log(level, known ? record->message : Message::foreign_record,
           named.empty() ? record->text : named);
  failure_told_ |= known && is_own && level <= LogLevel::error;
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
  log_.log(LogLevel::warn, Message::records_left_out,
           fmt::format("{} lines of {} bytes that process group '{}' logged were left out", records,
                       bytes, settings_.group.name));
}

}  // namespace pyhost::remote
