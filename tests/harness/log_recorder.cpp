#include "harness/log_recorder.h"

#include "base/out_of_memory.h"

namespace pyhost::test {

void LogRecorder::log(base::LogLevel level, base::Message message, std::string_view text) noexcept {
  base::if_memory_allows([&] {
    const std::scoped_lock lock(mutex_);
    records_.push_back({level, message, std::string(text)});
  });
}

std::vector<LogRecord> LogRecorder::records() const {
  const std::scoped_lock lock(mutex_);
  return records_;
}

std::string LogRecorder::text_of(base::Message message) const {
  std::string text;
  for (const LogRecord& record : records()) {
    if (record.message == message) text += record.text + '\n';
  }
  return text;
}

std::string LogRecorder::text() const {
  std::string text;
  for (const LogRecord& record : records()) text += record.text + '\n';
  return text;
}

}  // namespace pyhost::test
