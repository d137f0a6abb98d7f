#include "python/support_sources.h"

namespace pyhost::python {

// What other processes of an application need.
const char kProcessesSource[] = R"python(
import functools
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
)python";

}  // namespace pyhost::python
