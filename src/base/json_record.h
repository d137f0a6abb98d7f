// Log records as objects of JSON.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pyhost/base/log.h"

namespace pyhost::base {

// What is not known is "" or 0, and left out. Texts may have any bytes.
struct JsonRecord {
  std::int64_t time_us = 0;  // since the epoch
  LogLevel level = LogLevel::error;
  Message message = Message::none;  // of the module's own; its id is "id"
  std::string_view logger;
  std::string_view text;  // "message"
  std::string_view traceback;
  std::string_view file;
  unsigned line = 0;
  std::string_view request_id;
  std::string_view trace_id;
  std::string_view method;
  std::string_view url;
  std::string_view client;
  std::string_view group;
  std::int64_t pid = 0;
  std::int64_t thread = 0;
};

// The lines behind the first one of the module's own text are a traceback, as a rule.
JsonRecord split_traceback(JsonRecord record) noexcept;

// One line, with its end.
std::string to_json_line(const JsonRecord& record);

}  // namespace pyhost::base
