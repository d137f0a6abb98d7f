// The part of our Python side that is easier said in Python: a private module per interpreter.
#pragma once

#include "pyhost/base/result.h"
#include "python/attached.h"

namespace pyhost::python {

// Makes the support module and keeps it in the interpreter:
//   format_exception(value) -> str            a complete traceback
//   format_stack() -> str                     where the caller is
//   extend_path(first, entries) -> failures   puts site directories in front of sys.path, and
//                                             `first` before them; [(entry, traceback), ...]
//   restrict(stream, name)                    replaces sys.<stream> by an object that refuses use
//   restrict_signals(log)                     makes signal.signal() log and do nothing
//   imported() -> object                      which modules there are, and sys.path
//   forget_since(object)                      makes it so again, as far as that is possible
//   unblock_programs()                        lets programs begin without blocked signals
//   begin_import(), end_import()              around a script's import: the calling thread is
//                                             threading.main_thread() meanwhile, to itself
//   new_script(name, path) -> module          as importlib makes it for a file, not yet run
//   callables_of(module) -> str               what a script defines that could be meant
//   advice_on(error, application) -> str      what to do about it, if that is known, else ''
//   authn_answer(answer) -> tuple             what check_authn() has returned, in bytes: the name,
//                                             variables and notes of a user; or status, headers
//                                             and body of a reply. The classes for it, too
//   end(report)                               threading shutdown and atexit; report(names of
//                                             threads that are waited for)
base::Result<> install_support(Attached& py, Interpreter& interpreter);

}  // namespace pyhost::python
