#include "apache/json_log.h"

#include <unistd.h>

#include <algorithm>
#include <string>

#include "apache/config/config.h"
#include "apache/pool.h"
#include "apache/request/request_identity.h"
#include "base/json_record.h"
#include "base/out_of_memory.h"

namespace pyhost::apache {
namespace {

using base::JsonRecord;

JsonRecord record_of(base::LogLevel level, base::Message message, std::string_view text) {
  return base::split_traceback({.level = level, .message = message, .text = text});
}

JsonRecord record_of(const base::ApplicationRecord& record) {
  return {.level = record.level,
          .logger = record.logger,
          .text = record.text,
          .traceback = record.traceback,
          .file = record.file,
          .line = record.line};
}

// Unbuffered and in one piece, as httpd writes its own.
void write(const server_rec* s, JsonRecord record) {
  record.time_us = apr_time_now();
  // Of a worker the thread is not known.
  if (record.pid == 0) {
    record.pid = getpid();
    record.thread = gettid();
  }
  const std::string line = to_json_line(record);
  apr_file_write_full(s->error_log, line.data(), line.size(), nullptr);
}

void write(const request_rec* r, JsonRecord record, const RecordSource& source) {
  record.request_id = request_id_of(r);
  record.trace_id = trace_id_of(r);
  record.method = view_or_empty(r->method);
  record.url = path_as_sent(r);
  record.client = view_or_empty(r->useragent_ip);
  record.group = source.process_group;
  record.pid = source.pid;
  write(r->server, record);
}

// What is printed is a record for each line.
template <class Write>
void write_each(JsonRecord record, const Write& write_one) {
  if (record.message != base::Message::none) return write_one(record);
  for (std::string_view rest = record.text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    record.text = rest.substr(0, end);
    if (!record.text.empty()) write_one(record);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

}  // namespace

bool writes_json(const server_rec* s) noexcept {
  if (s == nullptr || s->error_log == nullptr) return false;
  const auto& logging = process_settings().logging;
  return logging && logging->is_json();
}

std::string_view path_as_sent(const request_rec* r) noexcept {
  const auto uri = view_or_empty(r->unparsed_uri != nullptr ? r->unparsed_uri : r->uri);
  return uri.substr(0, uri.find('?'));
}

void write_json(const request_rec* r, base::LogLevel level, base::Message message,
                std::string_view text, const RecordSource& source) noexcept {
  base::if_memory_allows([&] {
    write_each(record_of(level, message, text),
               [&](const JsonRecord& record) { write(r, record, source); });
  });
}

void write_json(const request_rec* r, const base::ApplicationRecord& record,
                const RecordSource& source) noexcept {
  base::if_memory_allows([&] { write(r, record_of(record), source); });
}

void write_json(const server_rec* s, base::LogLevel level, base::Message message,
                std::string_view text) noexcept {
  base::if_memory_allows([&] {
    write_each(record_of(level, message, text),
               [&](const JsonRecord& record) { write(s, record); });
  });
}

void write_json(const server_rec* s, const base::ApplicationRecord& record) noexcept {
  base::if_memory_allows([&] { write(s, record_of(record)); });
}

}  // namespace pyhost::apache
