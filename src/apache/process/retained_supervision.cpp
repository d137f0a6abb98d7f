#include "apache/process/retained_supervision.h"

#include <string_view>

#include "apache/pool.h"
#include "apache/process/retained_groups.h"
#include "pyhost/gateway/plugin.h"

namespace pyhost::apache {
namespace {

constexpr char kRetainedKey[] = "mod_pyhost supervision";

}  // namespace

RetainedSupervision& retained_supervision(apr_pool_t* process_pool) {
  auto* retained = static_cast<RetainedSupervision*>(ap_retained_data_get(kRetainedKey));
  if (retained == nullptr) {
    retained = static_cast<RetainedSupervision*>(
        ap_retained_data_create(kRetainedKey, sizeof(RetainedSupervision)));
    retained->leaving = apr_array_make(process_pool, 1, sizeof(LeavingSupervisor*));
    retained->era = era_of_this_build(*retained, process_pool);
  }
  return *retained;
}

SupervisorEra* era_of_this_build(RetainedSupervision& retained, apr_pool_t* process_pool) {
  const bool is_in_force =
      retained.era != nullptr && std::string_view(retained.era->build) == gateway::kBuildId;
  if (is_in_force) return retained.era;
  auto* era = static_cast<SupervisorEra*>(apr_pcalloc(process_pool, sizeof(SupervisorEra)));
  era->build = pool_c_string(process_pool, gateway::kBuildId);
  era->groups = RetainedGroups::make_table(process_pool);
  return era;
}

}  // namespace pyhost::apache
