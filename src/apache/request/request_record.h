// What the module keeps of a request, for whoever looks at it later: the loggers of mod_log_config
// among others.
#pragma once

#include <string_view>

#include "apache/httpd_api.h"
#include "pyhost/gateway/request_times.h"
#include "pyhost/gateway/run_figures.h"
#include "pyhost/gateway/serving_worker.h"

namespace pyhost::apache {

struct ScriptAlias;
class SuspendedSocket;

// In the request's own configuration, which it does not share with subrequests and redirects.
struct RequestRecord {
  const ScriptAlias* alias = nullptr;  // that has hit it, if one has

  // --- Once it has been given to an application ---
  bool was_run = false;
  std::string_view process_group;      // "" is the child itself
  std::string_view application_group;  // "" is the main interpreter
  gateway::RequestTimes times;
  gateway::RunFigures figures;
  gateway::ServingWorker worker;
  // Between the handler, which has let its thread go, and httpd's word that it has, too.
  SuspendedSocket* suspended_or_null = nullptr;
};

// Makes it at the first call.
RequestRecord& record_of(request_rec* r);
// Null for a request that the module has had nothing to do with.
const RequestRecord* record_or_null(const request_rec* r) noexcept;

}  // namespace pyhost::apache
