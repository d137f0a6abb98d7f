#include "python/support_sources.h"

namespace pyhost::python {

// What importing needs.
const char kScriptsSource[] = R"python(
import functools
import sys
import threading
import types
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location


def new_script(name, path):
    scripts[name] = path
    loader = SourceFileLoader(name, path)
    return module_from_spec(spec_from_file_location(name, path, loader=loader))


# A script is imported by whatever thread needs it first, and does there what the main thread of a
# program does: asyncio makes it a loop, and libraries ask whether they are on that thread. So it is
# the main thread, to itself; the one that was first stays so, as if it had made the interpreter.
# All others, which may want to join it, see that of the interpreter.
main_thread_of = threading.main_thread
importer = threading.local()
importers = 0


@functools.wraps(main_thread_of)
def main_thread():
    return getattr(importer, 'thread', None) or main_thread_of()


threading.main_thread = main_thread


def begin_import():
    global importers
    importers += 1
    importer.stays = importers == 1 or getattr(importer, 'stays', False)
    importer.thread = threading.current_thread()


def end_import():
    if not importer.stays:
        importer.thread = None


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
)python";

}  // namespace pyhost::python
