// The type stubs say what the modules have, and nothing else.

#include <gmock/gmock.h>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

// Compares names, kinds and signatures, as far as a running module shows them.
constexpr char kCompare[] = R"(
import ast, importlib, inspect
LATE = {'active_requests', 'LogHandler'}

def stub_of(name):
    with open(f'@STUBS@/{name}-stubs/__init__.pyi') as file:
        return ast.parse(file.read())

def is_public(name):
    return not name.startswith('_')

def declared(body):
    names = {}
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names[node.name] = node
        elif isinstance(node, ast.AnnAssign):
            names[node.target.id] = node
    return names

def parameters_of(node, bound):
    arguments = node.args
    positional = arguments.posonlyargs + arguments.args
    names = [argument.arg for argument in positional][1 if bound else 0:]
    defaults = [ast.literal_eval(default) for default in arguments.defaults]
    keywords = [argument.arg for argument in arguments.kwonlyargs]
    only = len(arguments.posonlyargs)
    return names, only, defaults, keywords

def live_parameters_of(function):
    kinds = inspect.Parameter
    found = [p for p in inspect.signature(function).parameters.values() if p.name != 'self']
    names = [p.name for p in found if p.kind != kinds.KEYWORD_ONLY]
    only = sum(p.kind == kinds.POSITIONAL_ONLY for p in found)
    defaults = [p.default for p in found if p.kind != kinds.KEYWORD_ONLY and p.default is not p.empty]
    keywords = [p.name for p in found if p.kind == kinds.KEYWORD_ONLY]
    return names, only, defaults, keywords

def compare_class(where, node, live):
    members = declared(node.body)
    for name, member in members.items():
        # What an instance has is seen only on one.
        if isinstance(member, ast.AnnAssign):
            continue
        if not hasattr(live, name):
            yield f'{where}.{name} does not exist'
    creator = members.get('__init__') or members.get('__new__')
    if creator is not None:
        if parameters_of(creator, True) != live_parameters_of(live):
            yield f'{where}: {parameters_of(creator, True)} is {live_parameters_of(live)}'
    for name in vars(live):
        if is_public(name) and name not in members:
            yield f'{where}.{name} is not in the stub'

def compare(name):
    module = importlib.import_module(name)
    stub = declared(stub_of(name).body)
    for late in LATE & set(stub):
        getattr(module, late)
    for each, node in stub.items():
        where = f'{name}.{each}'
        if not is_public(each):
            continue
        if not hasattr(module, each):
            yield f'{where} does not exist'
        elif isinstance(node, ast.FunctionDef):
            live = getattr(module, each)
            if parameters_of(node, False) != live_parameters_of(live):
                yield f'{where}: {parameters_of(node, False)} is {live_parameters_of(live)}'
        elif isinstance(node, ast.ClassDef):
            yield from compare_class(where, node, getattr(module, each))
        elif callable(getattr(module, each)):
            yield f'{where} is a function'
    for each in vars(module):
        if is_public(each) and each not in stub:
            yield f'{name}.{each} is not in the stub'

def application(environ, start_response):
    start_response('200 OK', [])
    return ['\n'.join([*compare('mod_wsgi'), *compare('apache')]).encode()]
)";

TEST(Stubs, AreWhatTheModulesHave) {
  std::string source = kCompare;
  constexpr std::string_view kPlace = "@STUBS@";
  source.replace(source.find(kPlace), kPlace.size(), TEST_STUBS);
  for (const char* interpreter : {"", "sub"}) {
    const Reply reply = run_source(source, {}, interpreter);
    EXPECT_TRUE(reply.complete()) << reply.log();
    EXPECT_EQ(reply.body(), "") << interpreter;
  }
}

}  // namespace
}  // namespace pyhost::test
