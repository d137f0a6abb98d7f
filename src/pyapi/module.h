// The Python module `mod_wsgi`.
#pragma once

#include <memory>

#include "pyapi/module_state.h"
#include "pyhost/base/result.h"
#include "pyhost/gateway/engine.h"
#include "python/attached.h"
#include "python/log_stream.h"

namespace pyhost::pyapi {

inline constexpr char kModuleName[] = "mod_wsgi";

// What the module shares with the rest of the Python side.
struct ModuleParts {
  PyObject* file_wrapper_type;
  PyObject* request_timeout;
  const python::LogStreams& streams;
  Recorder& recorder;          // lives as long as the process
  Measurements& measurements;  // the same
};

// Puts the module into sys.modules of the interpreter, where frameworks look for it:
//   version                (major, minor, micro) of the mod_wsgi whose interface this is
//   process_group          name of the process group, "" when embedded in httpd
//   application_group      name of the interpreter, "" for the main one
//   maximum_processes      of the process group, or of httpd
//   threads_per_process    the same
//   FileWrapper            the type of environ['wsgi.file_wrapper']
//   RequestTimeout         what ends a request that is interrupted; a BaseException
//   User, Deny, Redirect   what check_authn() of a hook script answers with
//   LogHandler             a logging.Handler whose records go to httpd's log
//   active_requests        what runs in the interpreter: {request_id: request_data}
// and what events.h, request_data.h, metrics.h, metric_types.h and annotations.h have. Where a
// distribution of this name is on sys.path, its submodules can be imported: mod_wsgi.server and
// others. It is not run itself.
base::Result<std::unique_ptr<ModuleState>> install_module(python::Attached& py,
                                                          const gateway::EngineSettings& settings,
                                                          const ModuleParts& parts);

}  // namespace pyhost::pyapi
