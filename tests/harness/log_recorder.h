// A log sink that keeps what it is given.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/log.h"

namespace pyhost::test {

struct LogRecord {
  base::LogLevel level;
  base::Message message;
  std::string text;
};

// Of what the module says, warnings and what is worse; and all that an application says.
inline bool is_notable(const LogRecord& record) noexcept {
  return record.level <= base::LogLevel::warn || record.message == base::Message::none;
}

// Thread-safe, as the contract of LogSink demands.
class LogRecorder final : public base::LogSink {
 public:
  explicit LogRecorder(base::LogLevel level = base::LogLevel::trace) : level_(level) {}

  bool wants(base::LogLevel level) const noexcept override { return level <= level_; }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override;

  // Everything so far, in order.
  std::vector<LogRecord> records() const;
  // The texts of all records with this message, each ended by a newline.
  std::string text_of(base::Message message) const;
  // The texts of all records, each ended by a newline.
  std::string text() const;

 private:
  const base::LogLevel level_;
  mutable std::mutex mutex_;
  std::vector<LogRecord> records_;
};

}  // namespace pyhost::test
