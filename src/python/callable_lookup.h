// Finds in a module what a target is to be called by.
#pragma once

#include <string>

#include "pyhost/base/log.h"
#include "pyhost/gateway/target.h"
#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::python {

// The target's callable, which may be an attribute of an attribute ("site.application"), or its
// factory's function. When the module has none, that is logged with what it has instead; null, and
// `failure` is a sentence.
Ref callable_in(Attached& py, PyObject* module, const gateway::Target& target, base::LogSink& log,
                std::string& failure);

// What the target's factory makes of a module that has just been imported. Null without an
// exception when the module does not define the function, and with one when that has failed or has
// returned what cannot be called.
Ref application_made_by(Attached& py, PyObject* module, const gateway::Target& target);

}  // namespace pyhost::python
