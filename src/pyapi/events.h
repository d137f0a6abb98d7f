// What happens in the process and to requests, for functions that applications have subscribed.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "pyapi/dictionary.h"
#include "python/attached.h"

namespace pyhost::pyapi {

// Whether processes of this kind tell applications of signals.
enum class SignalEvents { none, published };

// Adds to the module `mod_wsgi`:
//   subscribe_events(callback, /)     has it called with every event; returns it
//   subscribe_shutdown(callback, /)   the same with process_stopping
//   subscribe_signals(callback, /)    the same with process_signal; where there is none, it only
//                                     says so in the log
//   event_callbacks, shutdown_callbacks, signal_callbacks    the lists of these
// False with an exception pending when that fails.
bool add_events(python::Attached& py, PyObject* module, SignalEvents signals);

// Told before each callback which it is: "shop.close_pool".
using BeforeCallback = std::function<void(std::string callback)>;

// Calls the callbacks that are in the list now, in its order, as callback(event, **payload). A
// dictionary that one returns is added to the payload for those behind it, and stays in it. What
// they raise is logged.
void publish(python::Attached& py, const char* event, PyObject* callbacks, Dictionary& payload);

// Calls all who are to hear of the end of the process, in the attached interpreter. Interpreters
// are to be told once, while they can still run anything.
void publish_process_stopping(python::Attached& py, std::string_view reason,
                              const BeforeCallback& before);

// The same for a signal that the process has got.
void publish_process_signal(python::Attached& py, int signal);

}  // namespace pyhost::pyapi
