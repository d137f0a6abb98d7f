#include "apache/guarded.h"

#include "apache/log.h"

namespace pyhost::apache {

void report_exception(const char* what) noexcept {
  log_server(ap_server_conf, base::LogLevel::crit, base::Message::internal_error, what);
}

}  // namespace pyhost::apache
