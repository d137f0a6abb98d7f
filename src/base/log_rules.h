// What a log keeps, and in which form.
#pragma once

#include <string>

#include "pyhost/base/log.h"

namespace pyhost::base {

enum class LogForm {
  lines,  // as httpd writes them
  json,   // an object for each record
};

struct LogRules {
  LogLevel level = LogLevel::warn;    // up to which records are kept
  LogLevel printed = LogLevel::warn;  // the same for what applications print
  LogForm form = LogForm::lines;
  std::string group;  // the process group whose log it is: named in JSON

  bool keeps(LogLevel of_record, Message message) const noexcept {
    return of_record <= (message == Message::none ? printed : level);
  }
  bool operator==(const LogRules&) const = default;
};

}  // namespace pyhost::base
