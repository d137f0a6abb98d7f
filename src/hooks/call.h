// Calls the functions of hook scripts.
#pragma once

#include "pyhost/gateway/caller.h"
#include "pyhost/gateway/question.h"
#include "pyhost/gateway/target.h"
#include "python/attached.h"
#include "wsgi/environ.h"

namespace pyhost::hooks {

// What an answer is made with; all of it outlives the call.
struct Call {
  const gateway::Target& target;  // its callable, if it has one, is the function
  const gateway::Question& question;
  gateway::Caller& caller;
  PyObject* request_timeout;  // what an interruption raises
  PyObject* errors;           // wsgi.errors
};

// Has the script's module answer: a new environ, the function, and what it returns, checked. What
// fails is logged to the caller, and is a refusal: 500, or 503 for one that was interrupted.
gateway::AskResult call(python::Attached& py, wsgi::EnvironFactory& environs, PyObject* module,
                        const Call& call);

}  // namespace pyhost::hooks
