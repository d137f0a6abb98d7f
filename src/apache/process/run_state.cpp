#include "apache/process/run_state.h"

#include <fmt/format.h>

#include "apache/httpd_api.h"

namespace pyhost::apache {

bool is_only_a_check() {
  return ap_state_query(AP_SQ_MAIN_STATE) == AP_SQ_MS_CREATE_PRE_CONFIG;
}

bool is_restart() {
  int generation = 0;
  return ap_mpm_query(AP_MPMQ_GENERATION, &generation) == APR_SUCCESS && generation > 0;
}

std::string httpd_version() {
  ap_version_t version{};
  ap_get_server_revision(&version);
  return fmt::format("{}.{}.{}", version.major, version.minor, version.patch);
}

}  // namespace pyhost::apache
