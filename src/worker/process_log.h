// The worker's own log: its standard error, which is the group's error log.
#pragma once

#include "pyhost/base/log.h"

namespace pyhost::worker {

// Writes lines as httpd does, each with one system call, so that those of several processes do not
// mix. Line ends and other control characters inside a record are escaped.
class ProcessLog final : public base::LogSink {
 public:
  explicit ProcessLog(base::LogLevel level, int fd = 2) noexcept : level_(level), fd_(fd) {}

  bool wants(base::LogLevel level) const noexcept override { return level <= level_; }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override;

 private:
  const base::LogLevel level_;
  const int fd_;
};

}  // namespace pyhost::worker
