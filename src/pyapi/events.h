// What happens in the process, for functions that applications have subscribed.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "python/attached.h"

namespace pyhost::pyapi {

// Adds to the module `mod_wsgi`:
//   subscribe_shutdown(callback, /)   has it called with process_stopping; returns it
//   shutdown_callbacks                the list of these
// False with an exception pending when that fails.
bool add_events(python::Attached& py, PyObject* module);

// Told before each callback which it is: "shop.close_pool".
using BeforeCallback = std::function<void(std::string callback)>;

// Calls the shutdown callbacks of the attached interpreter, in the order they were subscribed, as
// callback("process_stopping", shutdown_reason=reason). A dictionary that one returns is added to
// the arguments of those behind it. What they raise is logged. Interpreters are to be told once,
// while they can still run anything.
void publish_process_stopping(python::Attached& py, std::string_view reason,
                              const BeforeCallback& before);

}  // namespace pyhost::pyapi
