// Log records as httpd writes them, into an error log that httpd has opened.
#pragma once

#include "pyhost/base/log.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::supervisor {

// One write per record, so that records of several processes do not mix. Line ends and other
// control characters in the text are escaped.
class FileLog final : public base::LogSink {
 public:
  // Keeps records up to `threshold`.
  FileLog(base::UniqueFd file, base::LogLevel threshold) noexcept
      : file_(std::move(file)), threshold_(threshold) {}

  bool wants(base::LogLevel level) const noexcept override { return level <= threshold_; }
  void log(base::LogLevel level, base::Message message, std::string_view text) noexcept override;

  void set_threshold(base::LogLevel threshold) noexcept { threshold_ = threshold; }
  int fd() const noexcept { return file_.get(); }

 private:
  base::UniqueFd file_;
  base::LogLevel threshold_;
};

}  // namespace pyhost::supervisor
