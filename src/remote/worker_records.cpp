#include "remote/worker_records.h"

#include <fmt/format.h>

#include <algorithm>

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
  log_.log(level, known ? record->message : Message::foreign_record, record->text);
  failure_told_ |= known && record->message != Message::none && level <= LogLevel::error;
}

void WorkerRecords::tell_left_out() {
  const auto [records, bytes] = allowance_.take_left_out();
  if (records == 0) return;
  log_.log(LogLevel::warn, Message::records_left_out,
           fmt::format("{} lines of {} bytes that process group '{}' logged were left out", records,
                       bytes, group_));
}

}  // namespace pyhost::remote
