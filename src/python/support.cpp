#include "python/support.h"

#include "python/error.h"
#include "python/support_sources.h"

namespace pyhost::python {
namespace {

// `threading` is imported here, on the interpreter's main thread: the thread that imports it first
// counts as that, and threading._shutdown() waits for ever for one that serves requests (CPython up
// to 3.11).
constexpr char kSource[] = R"python(
import atexit
import functools
import os
import site
import sys
import threading
import traceback


# From CPython 3.13 on `threading` takes the main thread of the process for that of a sub-interpreter, where
# it never runs.
def adopt_main_thread():
    main = threading.main_thread()
    here = threading.get_ident()
    if main.ident == here:
        return
    with threading._active_limbo_lock:
        threading._active.pop(main.ident)
        main._ident = here
        main._handle = threading._make_thread_handle(here)
        main._set_native_id()
        threading._active[here] = main


adopt_main_thread()


def format_exception(value):
    return ''.join(traceback.format_exception(type(value), value, value.__traceback__)).rstrip('\n')


def format_stack():
    return ''.join(traceback.format_stack(sys._getframe(1))).rstrip('\n')


def extend_path(first, entries):
    before = list(sys.path)
    failures = []
    for entry in entries:
        try:
            site.addsitedir(entry)
            # Of which site and import say nothing.
            try:
                os.scandir(entry).close()
            except (FileNotFoundError, NotADirectoryError):
                pass
        except PermissionError as error:
            failures.append((entry, f'PermissionError: {error}'))
        except BaseException as error:
            failures.append((entry, format_exception(error)))
    added = [path for path in sys.path if path not in before]
    sys.path[:] = added + [path for path in sys.path if path in before]
    if first:
        sys.path[:] = [first] + [path for path in sys.path if path != first]
    return failures


class Restricted:
    __module__ = 'mod_wsgi'

    def __init__(self, name, directive):
        object.__setattr__(self, '_text', f'{name} is restricted by mod_wsgi; {directive} Off allows it')

    def __getattribute__(self, attribute):
        raise OSError(object.__getattribute__(self, '_text'))


def restrict(stream, directive):
    setattr(sys, stream, Restricted('sys.' + stream, directive))


def restrict_signals(log):
    import signal

    install = signal.signal
    process = os.getpid()

    @functools.wraps(install)
    def ignore(signalnum, handler):
        if os.getpid() != process:
            return install(signalnum, handler)
        stack = ''.join(traceback.format_stack(sys._getframe(1))).rstrip('\n')
        log(f'handler for signal {int(signalnum)} is not installed, registered from:\n{stack}')
        return handler

    signal.signal = ignore


def stacks_of(threads):
    frames = sys._current_frames()
    frames.pop(threading.get_ident(), None)
    # Not threading.enumerate(), whose lock somebody may have.
    names = {thread: known.name for thread, known in dict(threading._active).items()}
    stacks = []
    for thread, label in threads:
        if thread in frames:
            label = label or f'thread {names.get(thread, thread)}'
            stack = ''.join(traceback.format_stack(frames[thread])).rstrip('\n')
            stacks.append(f'{label}, most recent call last:\n{stack}')
    return '\n'.join(stacks)


def end(report):
    waiting = [thread.name for thread in threading.enumerate()
               if not thread.daemon and thread is not threading.current_thread()
               and not isinstance(thread, threading._DummyThread)]
    report(', '.join(waiting))
    threading._shutdown()
    report('')
    atexit._run_exitfuncs()
)python";

}  // namespace

base::Result<> install_support(Attached& py, Interpreter& interpreter) {
  const auto failed = [&] {
    return base::fail("the support module failed: " + PythonError::take(py).traceback(py));
  };
  Ref module = Ref::steal(PyModule_New("_pyhost_support"));
  if (!module) return failed();
  PyObject* names = PyModule_GetDict(module.get());
  if (PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) != 0) return failed();
  for (const char* source :
       {kSource, kProcessesSource, kScriptsSource, kAdviceSource, kHooksSource}) {
    const Ref code = Ref::steal(Py_CompileString(source, "<mod_pyhost support>", Py_file_input));
    if (!code) return failed();
    const Ref done = Ref::steal(PyEval_EvalCode(code.get(), names, names));
    if (!done) return failed();
  }
  interpreter.set_support(py, std::move(module));
  return {};
}

}  // namespace pyhost::python
