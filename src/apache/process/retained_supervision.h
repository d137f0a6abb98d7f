// What httpd's parent keeps of its supervisors over restarts, which unload the module.
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "apache/httpd_api.h"

namespace pyhost::apache {

// These three are read by the module of another build after an upgrade, so they stay as they are; a
// change needs another kRetainedKey, and then costs an upgrade a stop of httpd.

// A supervisor of one build, and what it has.
struct SupervisorEra {
  const char* build;           // gateway::kBuildId
  pid_t pid;                   // 0: none runs
  int control;                 // while one runs
  apr_array_header_t* groups;  // see RetainedGroups
};

// One that is about to end.
struct LeavingSupervisor {
  pid_t pid;    // 0: it has
  int control;  // -1: closed
};

struct RetainedSupervision {
  SupervisorEra* era;
  apr_array_header_t* leaving;  // of LeavingSupervisor*, in the process's pool
  std::uint64_t messages;       // so many were sent, to whichever supervisor
  std::uint32_t next_index;     // of a group
};

// In the process's pool; makes it at the first call.
RetainedSupervision& retained_supervision(apr_pool_t* process_pool);

// The one of this build: that which is in force, or one that is to take its place.
SupervisorEra* era_of_this_build(RetainedSupervision& retained, apr_pool_t* process_pool);

}  // namespace pyhost::apache
