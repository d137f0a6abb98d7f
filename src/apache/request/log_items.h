// What mod_log_config can say of requests that applications have served.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

// pre_config: registers %{item}^py of LogFormat, where mod_log_config is loaded. Each is "-" for a
// request that no application has served:
//   queue_us           microseconds that it has waited for a worker
//   app_us             that the application took, with close(), as the process says that ran it
//   lock_us            that it waited for the interpreter's lock
//   write_us           that httpd's output filters had the reply, with a client that was slow
//   total_us           from the module's first sight of it to the end of the reply
//   group              the process group; "-" for httpd's own process
//   application_group  "-" for the main interpreter
//   worker             the number of the worker in its group
//   pid                of the process that has run it
//   trace_id           of the trace that it belongs to
int register_log_items(apr_pool_t* pconf, apr_pool_t* plog, apr_pool_t* ptemp);

}  // namespace pyhost::apache
