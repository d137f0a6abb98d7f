// Log records as httpd writes them, into an error log that httpd has opened.
#pragma once

#include <string>

#include "base/log_rules.h"
#include "pyhost/base/log.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::base {

// A record as a line, with its end. What is not printable in the text is escaped.
std::string format_record(const LogRules& rules, LogLevel level, Message message,
                          std::string_view text);
// The same of Python's logging.
std::string format_record(const LogRules& rules, const ApplicationRecord& record);

// One write per record, so that records of several threads and processes do not mix.
class FileLog final : public LogSink {
 public:
  FileLog(UniqueFd file, LogRules rules) noexcept
      : file_(std::move(file)), rules_(std::move(rules)) {}

  bool wants(LogLevel level) const noexcept override { return level <= rules_.level; }
  void log(LogLevel level, Message message, std::string_view text) noexcept override;
  void log_application(const ApplicationRecord& record) noexcept override;

  // From here on records go to that file. Other threads may log meanwhile.
  void reopen(UniqueFd file) noexcept;
  int fd() const noexcept { return file_.get(); }

 private:
  UniqueFd file_;
  const LogRules rules_;
};

}  // namespace pyhost::base
