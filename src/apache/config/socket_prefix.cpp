#include "apache/config/socket_prefix.h"

#include "apache/config/config.h"
#include "apache/pool.h"
#include "control/operator_protocol.h"

namespace pyhost::apache {

std::string configured_socket_prefix(apr_pool_t* pool) {
  const auto own = process_settings().socket_prefix;
  const char* prefix = own ? ap_server_root_relative(pool, pool_c_string(pool, *own))
                           : ap_runtime_dir_relative(pool, control::kDefaultSocketName);
  return std::string(view_or_empty(prefix));
}

}  // namespace pyhost::apache
