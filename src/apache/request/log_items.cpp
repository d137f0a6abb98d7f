#include "apache/request/log_items.h"

#include <fmt/format.h>
#include <mod_log_config.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>

#include "apache/guarded.h"
#include "apache/pool.h"
#include "apache/request/request_identity.h"
#include "apache/request/request_record.h"

namespace pyhost::apache {
namespace {

std::string microseconds(std::chrono::nanoseconds time) {
  return fmt::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
}

struct Item {
  std::string_view name;
  std::string (*text)(const request_rec* r, const RequestRecord& record);
};

constexpr auto kItems = std::to_array<Item>({
    {"queue_us", [](const request_rec*,
                    const RequestRecord& record) { return microseconds(record.times.queued); }},
    {"app_us",
     [](const request_rec*, const RequestRecord& record) {
       return microseconds(record.figures.application);
     }},
    {"lock_us",
     [](const request_rec*, const RequestRecord& record) {
       return microseconds(record.figures.interpreter_wait);
     }},
    {"write_us", [](const request_rec*,
                    const RequestRecord& record) { return microseconds(record.times.writing); }},
    {"total_us",
     [](const request_rec*, const RequestRecord& record) {
       return microseconds(record.times.ended - record.times.arrived);
     }},
    {"group", [](const request_rec*,
                 const RequestRecord& record) { return std::string(record.process_group); }},
    {"application_group",
     [](const request_rec*, const RequestRecord& record) {
       return std::string(record.application_group);
     }},
    {"worker",
     [](const request_rec*, const RequestRecord& record) {
       return record.worker.pid == 0 ? std::string() : fmt::to_string(record.worker.slot);
     }},
    {"pid",
     [](const request_rec*, const RequestRecord& record) {
       return fmt::to_string(record.worker.pid == 0 ? getpid() : record.worker.pid);
     }},
    {"trace_id",
     [](const request_rec* r, const RequestRecord&) { return std::string(trace_id_of(r)); }},
});

// The request that is logged is the first one; what it was redirected to has served it.
const char* item_of(request_rec* r, char* name) {
  while (r->next != nullptr) r = r->next;
  const RequestRecord* record = record_or_null(r);
  if (record == nullptr || !record->was_run) return nullptr;
  const std::string_view wanted = view_or_empty(name);
  for (const Item& item : kItems) {
    if (item.name != wanted) continue;
    const std::string text = item.text(r, *record);
    return text.empty() ? nullptr : pool_c_string(r->pool, text);
  }
  return nullptr;
}

}  // namespace

int register_log_items(apr_pool_t* pconf, apr_pool_t*, apr_pool_t*) {
  const auto add_item = APR_RETRIEVE_OPTIONAL_FN(ap_register_log_handler);
  static char tag[] = "^py";
  if (add_item != nullptr) add_item(pconf, tag, guarded<&item_of, nullptr>, 0);
  return OK;
}

}  // namespace pyhost::apache
