#include "python/support_sources.h"

namespace pyhost::python {

// What other processes of an application need.
const char kProcessesSource[] = R"python(
import functools
import importlib.util
import os
import sys


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


# Programs of multiprocessing get functions by the names of their modules, and those of scripts are
# known in this process only. So each is told where the scripts are, with what it is told before
# anything else.
FIND_SCRIPTS = '''
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location


class ScriptLoader(SourceFileLoader):
    def exec_module(self, module):
        try:
            super().exec_module(module)
        except Exception as error:
            raise ImportError(f'{self.path} cannot be imported by a process of multiprocessing, where there '
                              'is no httpd; define what that is to run in a module of its own') from error


class ScriptFinder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in scripts:
            loader = ScriptLoader(name, scripts[name])
            return spec_from_file_location(name, scripts[name], loader=loader)


sys.meta_path.append(ScriptFinder)
'''


class FindingScripts:
    def __reduce__(self):
        return exec, (FIND_SCRIPTS, {'scripts': dict(scripts)})


def tell_of_scripts(spawn):
    prepare = spawn.get_preparation_data

    @functools.wraps(prepare)
    def get_preparation_data(name):
        return {**prepare(name), 'mod_pyhost': FindingScripts()}

    spawn.get_preparation_data = get_preparation_data


# multiprocessing is not imported before an application does it.
class SpawnFinder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name != 'multiprocessing.spawn':
            return None
        sys.meta_path.remove(cls)
        spec = importlib.util.find_spec(name)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            tell_of_scripts(module)

        spec.loader.exec_module = exec_module
        return spec


scripts = {}
if 'multiprocessing.spawn' in sys.modules:
    tell_of_scripts(sys.modules['multiprocessing.spawn'])
else:
    sys.meta_path.insert(0, SpawnFinder)
)python";

}  // namespace pyhost::python
