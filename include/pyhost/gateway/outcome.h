// How a run, or a question, came to its end.
#pragma once

#include <string>

#include "pyhost/gateway/failure_cause.h"
#include "pyhost/gateway/run_figures.h"

namespace pyhost::gateway {

// How a run ended, for whoever has to finish the reply.
struct Outcome {
  enum class Kind {
    complete,  // a part with Then::end was sent, or the client has gone
    refused,   // nothing was sent: answer with `status`
    broken,    // the head was sent and the rest never comes: the client must be able to see that
    outdated,  // nothing was run, read or sent: see ChangedScripts::refused
  };
  Kind kind = Kind::complete;
  int status = 0;
  unsigned retry_after_seconds = 0;  // of a 503: what Retry-After is to say; 0 = nothing
  // Of a refusal: this process could not import the script, now or a moment ago, or with
  // ChangedScripts::refused not have its callable. Another process may be able to.
  bool import_failed = false;
  std::string why = {};  // with import_failed: a sentence
  // Of all but `complete`, where whoever ran it knows.
  FailureCause failure = FailureCause::none;
  RunFigures figures = {};
};

}  // namespace pyhost::gateway
