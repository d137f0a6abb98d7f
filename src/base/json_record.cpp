#include "base/json_record.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <iterator>
#include <utility>

#include "base/log_level.h"
#include "base/printable.h"

namespace pyhost::base {
namespace {

// RFC 3339, in UTC.
std::string time_of(std::int64_t time_us) {
  constexpr std::int64_t kMicros = 1'000'000;
  const std::time_t seconds = time_us / kMicros;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", utc, time_us % kMicros);
}

class Object {
 public:
  void add(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    begin(key);
    append_json_string(text_, value);
  }
  void add(std::string_view key, std::int64_t value) {
    if (value == 0) return;
    begin(key);
    text_ += fmt::to_string(value);
  }
  std::string take() && { return std::move(text_) + "}\n"; }

 private:
  void begin(std::string_view key) {
    fmt::format_to(std::back_inserter(text_), R"({}"{}": )", text_.size() > 1 ? ", " : "", key);
  }

  std::string text_ = "{";
};

}  // namespace

JsonRecord split_traceback(JsonRecord record) noexcept {
  const auto end = record.text.find('\n');
  if (record.message == Message::none || end == record.text.npos) return record;
  record.traceback = record.text.substr(end + 1);
  record.text = record.text.substr(0, end);
  return record;
}

std::string to_json_line(const JsonRecord& record) {
  Object object;
  object.add("time", time_of(record.time_us));
  object.add("level", name_of(record.level));
  object.add("id", record.message == Message::none ? std::string_view() : id_of(record.message));
  object.add("logger", record.logger);
  object.add("message", record.text);
  object.add("traceback", record.traceback);
  object.add("file", record.file);
  object.add("line", std::int64_t{record.line});
  object.add("request_id", record.request_id);
  object.add("trace_id", record.trace_id);
  object.add("method", record.method);
  object.add("url", record.url);
  object.add("client", record.client);
  object.add("group", record.group);
  object.add("pid", record.pid);
  object.add("thread", record.thread);
  return std::move(object).take();
}

}  // namespace pyhost::base
