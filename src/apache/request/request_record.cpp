#include "apache/request/request_record.h"

#include "apache/config/module_records.h"
#include "apache/pool.h"

namespace pyhost::apache {

RequestRecord& record_of(request_rec* r) {
  auto* record = static_cast<RequestRecord*>(ap_get_module_config(r->request_config, &wsgi_module));
  if (record == nullptr) {
    record = pool_new<RequestRecord>(r->pool);
    ap_set_module_config(r->request_config, &wsgi_module, record);
  }
  return *record;
}

const RequestRecord* record_or_null(const request_rec* r) noexcept {
  return static_cast<const RequestRecord*>(ap_get_module_config(r->request_config, &wsgi_module));
}

}  // namespace pyhost::apache
