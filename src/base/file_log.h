// Log records as httpd writes them, into an error log that httpd has opened.
#pragma once

#include <string>

#include "pyhost/base/log.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::base {

// A record as a line, with its end. What is not printable in the text is escaped.
std::string format_record(LogLevel level, Message message, std::string_view text);

// One write per record, so that records of several threads and processes do not mix.
class FileLog final : public LogSink {
 public:
  // Keeps records up to `threshold`.
  FileLog(UniqueFd file, LogLevel threshold) noexcept
      : file_(std::move(file)), threshold_(threshold) {}

  bool wants(LogLevel level) const noexcept override { return level <= threshold_; }
  void log(LogLevel level, Message message, std::string_view text) noexcept override;

  // From here on records go to that file. Other threads may log meanwhile.
  void reopen(UniqueFd file) noexcept;
  // PRECONDITION: no other thread uses the log.
  void set_threshold(LogLevel threshold) noexcept { threshold_ = threshold; }
  int fd() const noexcept { return file_.get(); }

 private:
  UniqueFd file_;
  LogLevel threshold_;
};

}  // namespace pyhost::base
