// Loading, failing and reloading of scripts and modules.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <latch>
#include <thread>

#include "engine/engine_fixture.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using base::Message;
using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kVersion1[] = R"(
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'1']
)";
constexpr char kVersion2[] = R"(
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'2']
)";

TEST(Script, IsImportedOnceAsAModuleOfItsOwn) {
  const Script script(R"(
import sys
runs = 0
def application(environ, start_response):
    global runs
    runs += 1
    start_response('200 OK', [])
    assert sys.modules[__name__].application is application
    return [f'{runs} {__name__.startswith("_mod_wsgi_")} {__file__ == environ["SCRIPT"]}'.encode()]
)");
  const FakeRequest request{.environ = {{"SCRIPT", script.path()}}};
  EXPECT_EQ(run(script, request).body(), "1 True True");
  EXPECT_EQ(run(script, request).body(), "2 True True");
}

// What Flask, pkgutil, pkg_resources, inspect and pickle ask of a module.
TEST(Script, IsAModuleAsImportlibMakesIt) {
  const Script script(R"(
import importlib.util, inspect, pickle, pkgutil, sys
from importlib.machinery import SourceFileLoader
class Thing:
    'A thing.'
during_import = importlib.util.find_spec(__name__) is __spec__
def application(environ, start_response):
    module = sys.modules[__name__]
    spec = importlib.util.find_spec(__name__)
    facts = {
        'during_import': during_import,
        'spec': spec is module.__spec__ and spec.name == __name__ and spec.has_location,
        'origin': spec.origin == __file__ and spec.submodule_search_locations is None,
        'loader': isinstance(__loader__, SourceFileLoader) and __loader__ is spec.loader,
        'package': __package__ == '' == spec.parent,
        'data': pkgutil.get_data(__name__, 'data.txt') == b'data',
        'source': inspect.getsource(Thing).startswith('class Thing'),
        'module': inspect.getmodule(Thing) is module and inspect.getsourcefile(Thing) == __file__,
        'code': __loader__.get_code(__name__).co_filename == __file__,
        'pickle': type(pickle.loads(pickle.dumps(Thing()))) is Thing,
    }
    start_response('200 OK', [])
    return [' '.join(name for name, right in facts.items() if not right).encode()]
)");
  std::ofstream(script.folder() / "data.txt") << "data";
  for (const char* group : {"", "a module"}) {
    const Reply reply = run(script, {}, group);
    EXPECT_TRUE(reply.complete()) << reply.log();
    EXPECT_EQ(reply.body(), "");
  }
}

// As importlib has it: such a file is a package, and what lies beside it is in that.
TEST(Script, MayBeTheInitFileOfAPackage) {
  const Script folder("");
  const std::string path = (folder.folder() / "__init__.py").string();
  std::ofstream(path) << R"(
import importlib.resources
from . import part
def application(environ, start_response):
    start_response('200 OK', [])
    return [importlib.resources.files(__name__).joinpath('part.py').read_bytes(), part.name.encode()]
)";
  std::ofstream(folder.folder() / "part.py") << "name = __name__.split('.')[1]\n";
  const Reply reply = run(gateway::Target{.script = path});
  EXPECT_THAT(reply.body(), AllOf(HasSubstr("name = "), HasSubstr("part"))) << reply.log();
}

TEST(Script, MayPutSomethingElseInItsPlace) {
  const char* const source = R"(
import sys, types
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'in its place']
sys.modules[__name__] = types.SimpleNamespace({}application=application)
del application
)";
  const Script script(fmt::format(fmt::runtime(source), ""));
  EXPECT_EQ(run(script).body(), "in its place");
  EXPECT_EQ(run(script).body(), "in its place");
  EXPECT_EQ(run_source(fmt::format(fmt::runtime(source), "__name__=__name__, ")).body(),
            "in its place");
  EXPECT_EQ(run_source(std::string("import sys\ndel sys.modules[__name__]") + kVersion1).body(),
            "1");
}

TEST(Script, HonoursItsEncodingCookie) {
  const Reply reply = run_source(
      "# -*- coding: latin-1 -*-\nname = '\xe9'\n"
      "def application(environ, start_response):\n"
      "    start_response('200 OK', [])\n"
      "    return [ascii(name).encode()]\n");
  EXPECT_EQ(reply.body(), "'\\xe9'");
}

TEST(Script, WithASyntaxErrorShowsNoFrameOfOurs) {
  EXPECT_THAT(run_source("def broken(:\n").log(), Not(HasSubstr("mod_pyhost")));
}

TEST(Script, IsImportedAgainWhenItChanges) {
  Script script(kVersion1);
  EXPECT_EQ(run(script).body(), "1");
  script.rewrite(kVersion2);
  EXPECT_EQ(run(script).body(), "2");
}

TEST(Script, IsLeftAloneWhenReloadingIsOff) {
  Script script(kVersion1);
  const gateway::Target target{.script = script.path(), .reloading = gateway::Reloading::off};
  EXPECT_EQ(run(target).body(), "1");
  script.rewrite(kVersion2);
  EXPECT_EQ(run(target).body(), "1");
}

// Says yes when a file of the answer lies beside it.
constexpr char kAsked[] = R"(
import os, sys
sys.imports_of_asked = getattr(sys, 'imports_of_asked', 0) + 1
def reload_required(path):
    with open(path + '.answer') as answer:
        return eval(answer.read())
def application(environ, start_response):
    start_response('200 OK', [])
    return [str(sys.imports_of_asked).encode()]
)";

void answer(const Script& script, std::string_view text) {
  std::ofstream(script.path() + ".answer", std::ios::trunc) << text;
}

TEST(Script, IsImportedAgainWhenItSaysSo) {
  const Script script(kAsked);
  answer(script, "0");
  const int imports = std::stoi(run(script).body());
  EXPECT_EQ(run(script).body(), std::to_string(imports));
  answer(script, "'yes'");
  EXPECT_EQ(run(script).body(), std::to_string(imports + 1));
  EXPECT_EQ(run(script).body(), std::to_string(imports + 2));
}

TEST(Script, IsNotAskedWhenReloadingIsOff) {
  const Script script(kAsked);
  answer(script, "1");
  const gateway::Target target{.script = script.path(), .reloading = gateway::Reloading::off};
  const std::string imports = run(target).body();
  EXPECT_EQ(run(target).body(), imports);
}

TEST(Script, ThatCannotSayWhetherItIsToBeReloadedIsNot) {
  const Script script(kAsked);
  answer(script, "1 / 0");
  const std::string imports = run(script).body();
  const Reply reply = run(script);
  EXPECT_EQ(reply.body(), imports);
  EXPECT_THAT(reply.exchange->recorder().text_of(Message::reload_required_failed),
              AllOf(HasSubstr(script.path()), HasSubstr("ZeroDivisionError")));
}

struct BrokenScript {
  const char* source;
  Message message;
  const char* text;
};

class BrokenImport : public ::testing::TestWithParam<BrokenScript> {};

TEST_P(BrokenImport, IsReportedOnceWithItsTracebackAndHealsWithTheFile) {
  Script script(GetParam().source);
  const Reply first = run(script);
  EXPECT_EQ(first.refused(), 500);
  EXPECT_TRUE(first.outcome.import_failed);
  EXPECT_THAT(first.exchange->recorder().text_of(GetParam().message),
              AllOf(HasSubstr(script.path()), HasSubstr(GetParam().text)));

  const Reply second = run(script);
  EXPECT_EQ(second.refused(), 500);
  EXPECT_TRUE(second.outcome.import_failed);
  const std::string again = second.exchange->recorder().text_of(Message::script_still_broken);
  EXPECT_THAT(again, AllOf(HasSubstr(script.path()), HasSubstr(GetParam().text)));
  EXPECT_THAT(again, Not(HasSubstr("Traceback")));

  script.rewrite(kVersion2);
  EXPECT_EQ(run(script).body(), "2");
}

INSTANTIATE_TEST_SUITE_P(
    Scripts, BrokenImport,
    ::testing::Values(
        BrokenScript{"def broken(:\n", Message::script_unreadable, "SyntaxError"},
        BrokenScript{"import no_such_module\n", Message::script_raised,
                     "No module named 'no_such_module'"},
        BrokenScript{"raise KeyboardInterrupt\n", Message::script_raised, "KeyboardInterrupt"},
        BrokenScript{"import sys\nsys.exit(3)\n", Message::script_exited, "SystemExit: 3"}));

TEST(Script, ThatIsMissingIsReported) {
  const Script folder("");
  const std::string missing = folder.path() + ".missing";
  const Reply reply = run(gateway::Target{.script = missing});
  EXPECT_EQ(reply.refused(), 500);
  EXPECT_THAT(
      reply.exchange->recorder().text_of(Message::script_unreadable),
      HasSubstr(missing + " could not be imported: the file cannot be read: No such file or "
                          "directory"));
}

TEST(Script, ThatNeedsAnEventLoopIsRefusedWithoutOne) {
  const Script script("raise ValueError('run all the same')\n");
  const Reply reply = run({.script = script.path(), .protocol = gateway::Protocol::asgi});
  EXPECT_EQ(reply.refused(), 500);
  EXPECT_THAT(reply.log(),
              AllOf(HasSubstr("the ASGI protocol, for which there is no event loop here"),
                    Not(HasSubstr("run all the same"))));
}

TEST(Script, ThatFailsLeavesNoModuleBehind) {
  Script script(
      "import sys\nnames = [n for n in sys.modules if n.startswith('_mod_wsgi_')]\n"
      "sys.leaked = set(names)\nsys.leaking = __name__\nraise ValueError\n");
  EXPECT_EQ(run(script).refused(), 500);
  EXPECT_EQ(run_source(R"(
import sys
def application(environ, start_response):
    start_response('200 OK', [])
    return [repr(sys.leaking in sys.modules).encode()]
)")
                .body(),
            "False");
}

// Like a framework whose registry is filled once: its modules are whole when that fails.
constexpr char kRegistry[] = R"(
apps = []
def populate(name, fails):
    if apps:
        raise RuntimeError("populate() isn't reentrant")
    apps.append(name)
    if fails:
        raise OSError('the database is away')
)";

// Imports what is beside it, and fails as long as there is a file 'away'.
constexpr char kSite[] = R"(
import os, sys
here = os.path.dirname(__file__)
sys.path.insert(0, here)
import {0}
{0}.populate('shop', os.path.exists(here + '/away'))
def application(environ, start_response):
    start_response('200 OK', [])
    return [f"{{sys.path.count(here)}} {{{0}.apps}}".encode()]
)";

TEST(Script, BeginsAnewWhenItsFirstImportHasFailed) {
  const Script script(fmt::format(kSite, "once_registry"));
  std::ofstream(script.folder() / "once_registry.py") << kRegistry;
  std::ofstream(script.folder() / "away");
  EXPECT_THAT(run(script, {}, "a fresh start").log(), HasSubstr("the database is away"));
  std::filesystem::remove(script.folder() / "away");
  Reply reply;
  EXPECT_TRUE(wait_until([&] { return (reply = run(script, {}, "a fresh start")).complete(); }));
  EXPECT_EQ(reply.body(), "1 ['shop']");
  EXPECT_THAT(reply.log(), Not(HasSubstr("reentrant")));
}

TEST(Script, DoesNotTakeModulesFromOthersWhenItsFirstImportFails) {
  const Script script(fmt::format(kSite, "shared_registry"));
  std::ofstream(script.folder() / "shared_registry.py") << kRegistry;
  std::ofstream(script.folder() / "away");
  const Script other(R"(
import sys
def application(environ, start_response):
    start_response('200 OK', [])
    return [str('shared_registry' in sys.modules).encode()]
)");
  EXPECT_EQ(run(other, {}, "shared").body(), "False");
  EXPECT_EQ(run(script, {}, "shared").refused(), 500);
  EXPECT_EQ(run(other, {}, "shared").body(), "True");
}

TEST(Script, KeepsPackagesWithExtensionModulesAndWhatTheyUse) {
  const Script script(R"(
import importlib.machinery, importlib.util, os, sys, sysconfig
here = os.path.dirname(__file__)
sys.path.insert(0, here)
library = sysconfig.get_path('platstdlib') + '/lib-dynload'
extension = next(name for name in os.listdir(library) if name.startswith('_queue.'))
if not os.path.exists(f'{here}/native_part/{extension}'):
    os.symlink(f'{library}/{extension}', f'{here}/native_part/{extension}')
before = getattr(sys, 'native_before', None)
import native_part, native_use, pure_part
sys.native_before = native_part, native_use, pure_part
if before is None:
    raise OSError
same = [old is new for old, new in zip(before, sys.native_before)]
def application(environ, start_response):
    start_response('200 OK', [])
    return [repr(same).encode()]
)");
  std::filesystem::create_directory(script.folder() / "native_part");
  std::ofstream(script.folder() / "native_part/__init__.py")
      << "from native_use import answer\nfrom . import _queue\n";
  std::ofstream(script.folder() / "native_use.py") << "def answer(): pass\n";
  std::ofstream(script.folder() / "pure_part.py") << "import native_part\n";
  EXPECT_EQ(run(script, {}, "native").refused(), 500);
  Reply reply;
  EXPECT_TRUE(wait_until([&] { return (reply = run(script, {}, "native")).complete(); }));
  EXPECT_EQ(reply.body(), "[True, True, False]");
}

TEST(Script, WithoutTheCallableNamesThoseItDefines) {
  const Reply reply = run_source(R"(
from functools import partial, lru_cache
from pathlib import Path
def app(environ, start_response): pass
class Site:
    def __call__(self, environ, start_response): pass
site = Site()
_private = app
number = 7
)");
  EXPECT_EQ(reply.refused(), 500);
  EXPECT_FALSE(reply.outcome.import_failed);
  EXPECT_THAT(reply.exchange->recorder().text_of(Message::callable_missing),
              HasSubstr("does not define 'application'; the callables it defines are: app, Site, "
                        "site\n"));

  EXPECT_THAT(run_source("def __getattr__(name):\n    import nowhere\n").log(),
              AllOf(HasSubstr("failed to provide 'application': ModuleNotFoundError"),
                    HasSubstr("line 2, in __getattr__")));
  EXPECT_THAT(run_source("application = 7\n").log(),
              HasSubstr("has no callable 'application'; it defines no callable at all"));
}

TEST(Script, IsImportedOnceUnderAStampede) {
  const Script script(R"(
import time, sys
imports = vars(sys)
imports[__file__] = imports.get(__file__, 0) + 1
time.sleep(0.05)
def application(environ, start_response):
    start_response('200 OK', [])
    return [str(imports[__file__]).encode()]
)");
  constexpr int kThreads = 16;
  std::latch start(kThreads);
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      if (run(script, {}, "stampede").body() == "1") ++right;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, kThreads);
}

TEST(Script, ThatImportsSlowlyDelaysNoOther) {
  const Script slow(R"(
import os, time
folder = os.path.dirname(__file__)
open(os.path.join(folder, 'importing'), 'w').close()
while not os.path.exists(os.path.join(folder, 'go on')):
    time.sleep(0.001)
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'slow']
)");
  Reply late;
  std::thread first([&] { late = run(slow); });
  while (!std::filesystem::exists(slow.folder() / "importing")) std::this_thread::yield();
  EXPECT_EQ(run_source(kVersion1).body(), "1");
  EXPECT_EQ(run_source(kVersion1, {}, "elsewhere").body(), "1");
  std::ofstream(slow.folder() / "go on").close();
  first.join();
  EXPECT_EQ(late.body(), "slow");
}

// As the distribution that mod_wsgi has on PyPI, which Django projects name in INSTALLED_APPS.
TEST(ModWsgiModule, HasTheSubmodulesOfAPackageOfItsName) {
  EXPECT_EQ(run_source(R"(
import importlib.util
def application(environ, start_response):
    import mod_wsgi
    spec = importlib.util.find_spec('mod_wsgi')
    try:
        import mod_wsgi.server
    except ModuleNotFoundError as error:
        assert not hasattr(mod_wsgi, '__path__')
        start_response('200 OK', [])
        return [f'{error} {spec.name} {mod_wsgi.__package__!r}'.encode()]
)")
                .body(),
            "No module named 'mod_wsgi.server'; 'mod_wsgi' is not a package mod_wsgi ''");
}

TEST(Module, IsATargetLikeAScript) {
  const auto target = [](std::string_view module, std::string_view callable) {
    return gateway::Target{
        .kind = gateway::TargetKind::module, .script = module, .callable = callable};
  };
  const Reply demo = run(target("wsgiref.simple_server", "demo_app"));
  EXPECT_THAT(demo.body(), HasSubstr("Hello world!"));
  EXPECT_THAT(run(target("wsgiref.simple_server", "nothing")).log(),
              HasSubstr("module wsgiref.simple_server does not define 'nothing'"));
  EXPECT_THAT(run(target("no_such.module", "app")).log(), HasSubstr("No module named 'no_such'"));
}

TEST(Preload, ImportsOrSaysWhyNot) {
  LogRecorder log;
  const Script good(kVersion1);
  EXPECT_TRUE(engine().prepare({.script = good.path()}, log));
  const Script bad("raise ValueError('boom')\n");
  const auto failed = engine().prepare({.script = bad.path()}, log);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().sentence, HasSubstr("could not be imported: ValueError: boom"));
  EXPECT_THAT(log.text_of(Message::script_raised), HasSubstr("Traceback"));
}

}  // namespace
}  // namespace pyhost::test
