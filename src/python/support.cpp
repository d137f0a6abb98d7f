#include "python/support.h"

#include "python/error.h"

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
import types
from importlib.machinery import ExtensionFileLoader


def format_exception(value):
    return ''.join(traceback.format_exception(type(value), value, value.__traceback__)).rstrip('\n')


def add_python_path(entry):
    before = list(sys.path)
    site.addsitedir(entry)
    added = [path for path in sys.path if path not in before]
    sys.path[:] = added + before


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


# What a site's own start-up may have imported already has a name of its own for it.
def wrap_fork_exec(wrapper_of):
    import _posixsubprocess

    fork_exec = _posixsubprocess.fork_exec
    wrapper = functools.wraps(fork_exec)(wrapper_of(fork_exec))
    _posixsubprocess.fork_exec = wrapper
    if hasattr(sys.modules.get('subprocess'), '_fork_exec'):
        sys.modules['subprocess']._fork_exec = wrapper


# With a preexec_fn, subprocess is a fork whose child runs Python.
def guard_subprocess():
    def guarded_by(fork_exec):
        def guarded(*arguments):
            if any(map(callable, arguments)):
                sys.audit('os.fork')
            return fork_exec(*arguments)

        return guarded

    wrap_fork_exec(guarded_by)


guard_subprocess()


# A program inherits the mask of the thread that starts it. That thread's mask has to stay as it is:
# the process's signals are not for it.
def unblock_programs():
    import _signal

    def are_blocked():
        return _signal.pthread_sigmask(_signal.SIG_BLOCK, ())

    # vfork() hands the mask on; fork() calls what empties it. CPython 3.10 and those that take no
    # flag for that use it as well to change the user.
    def by_fork(arguments):
        *others, user, umask, last = arguments
        if isinstance(last, bool):
            return (*arguments[:-1], False)
        return (*others, os.geteuid() if user is None else user, umask, last)

    def forked_by(fork_exec):
        def forked(*arguments):
            return fork_exec(*(by_fork(arguments) if are_blocked() else arguments))

        return forked

    def spawned_by(spawn):
        @functools.wraps(spawn)
        def spawned(*arguments, **options):
            return spawn(*arguments, **{'setsigmask': (), **options})

        return spawned

    def system(command):
        if not are_blocked():
            return shell(command)
        sys.audit('os.system', command)
        child = os.posix_spawn('/bin/sh', ['sh', '-c', command], os.environ)
        return os.waitpid(child, 0)[1]

    shell = os.system
    wrap_fork_exec(forked_by)
    os.posix_spawn = spawned_by(os.posix_spawn)
    os.posix_spawnp = spawned_by(os.posix_spawnp)
    os.system = functools.wraps(shell)(system)


def imported():
    return frozenset(sys.modules), tuple(sys.path)


def is_native(module):
    spec = vars(module).get('__spec__') if isinstance(module, types.ModuleType) else None
    return isinstance(getattr(spec, 'loader', None), ExtensionFileLoader)


def root_of(name):
    return name.partition('.')[0]


# The packages whose modules, classes and functions these modules have as global names. What a name
# stands for is looked at by its type alone: a proxy answers for something that is not there yet.
def roots_used_by(modules):
    known = types.ModuleType, type, types.FunctionType
    values = [value for module in modules if isinstance(module, types.ModuleType)
              for value in vars(module).values() if issubclass(type(value), known)]
    names = (value.__name__ if isinstance(value, types.ModuleType) else value.__module__
             for value in values)
    return {root_of(name) for name in names if isinstance(name, str)}


def forget_since(before):
    names, path = before
    added = {name: module for name, module in sys.modules.items() if name not in names}
    kept = set(sys.stdlib_module_names)
    found = {root_of(name) for name, module in added.items() if is_native(module)} - kept
    while found:
        kept |= found
        found = roots_used_by(module for name, module in added.items() if root_of(name) in found) - kept
    for name in added:
        if root_of(name) not in kept:
            sys.modules.pop(name, None)
    sys.path[:] = path


def callables_of(module):
    def own(value):
        if not callable(value):
            return False
        if isinstance(value, type) or hasattr(value, '__code__'):
            return getattr(value, '__module__', None) == module.__name__
        return not hasattr(value, '__self__')

    names = [name for name, value in vars(module).items() if not name.startswith('_') and own(value)]
    return ', '.join(names)


def stacks_of(threads):
    frames = sys._current_frames()
    stacks = []
    for thread, label in threads:
        if thread in frames:
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
  const Ref code = Ref::steal(Py_CompileString(kSource, "<mod_pyhost support>", Py_file_input));
  if (!code) return failed();
  const Ref done = Ref::steal(PyEval_EvalCode(code.get(), names, names));
  if (!done) return failed();
  interpreter.set_support(py, std::move(module));
  return {};
}

}  // namespace pyhost::python
