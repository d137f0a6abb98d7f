// What the engine's settings change. One process of its own for each engine.

#include <gmock/gmock.h>

#include <fstream>
#include <iostream>

#include "engine/engine_fixture.h"
#include "engine/local_engine.h"

namespace pyhost::test {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class Settings : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// Writes the value of a Python expression, or what was logged, to standard error and leaves.
// `preamble` is what the script does before.
[[noreturn]] void evaluate(gateway::EngineSettings settings, const std::string& expression,
                           std::string_view group = "sub", const std::string& preamble = "") {
  LogRecorder& log = *new LogRecorder;
  const Script script("import os, sys\n" + preamble +
                      "\ndef application(environ, start_response):\n"
                      "    start_response('200 OK', [])\n    return [repr(" +
                      expression + ").encode()]\n");
  auto engine = engine::LocalEngine::open(std::move(settings), log);
  if (!engine) {
    std::cerr << engine.error().sentence << std::endl;
  } else {
    FakeExchange exchange;
    const auto outcome =
        (*engine)->run({.application_group = group, .script = script.path()}, exchange);
    std::cerr << exchange.body() << "\n";
    for (const LogRecord& record : exchange.recorder().records()) {
      if (is_notable(record)) std::cerr << record.text << "\n";
    }
    (*engine)->stop(30s);
    std::cerr << "status " << outcome.status << std::endl << log.text() << std::endl;
  }
  leave_process();
}

#define EXPECT_EVALUATES(expected, ...) \
  EXPECT_EXIT(evaluate(__VA_ARGS__), ::testing::ExitedWithCode(0), expected)

TEST_F(Settings, PutThePythonPathInFront) {
  const Script folder("");
  const fs::path first = folder.folder() / "first";
  const fs::path second = folder.folder() / "second";
  fs::create_directories(first);
  fs::create_directories(second / "named by pth");
  std::ofstream(second / "more.pth") << (second / "named by pth").string() << "\n";
  EXPECT_EVALUATES("\\['first', 'second', 'named by pth'\\]",
                   {.python_path = {first.string(), second.string()}},
                   "[os.path.basename(p) for p in sys.path[:3]]");
}

// Also when a .pth file or another entry names a folder that comes later or first.
TEST_F(Settings, KeepTheOrderOfThePythonPath) {
  const Script folder("");
  const auto make = [&](const char* name) {
    fs::create_directories(folder.folder() / name);
    return (folder.folder() / name).string();
  };
  const std::string home = make("home"), first = make("first"), second = make("second");
  std::ofstream(second + "/more.pth") << first << "\n" << home << "\n";
  EXPECT_EVALUATES("\\(\\['home', 'first', 'second'\\], 1\\)",
                   {.first_path = home, .python_path = {first, second, home, first}},
                   "([os.path.basename(p) for p in sys.path[:3]], sys.path.count('" + home + "'))");
  EXPECT_EVALUATES("\\('first', True\\)", {.python_path = {first, TEST_PYTHON_LIBRARY}},
                   "(os.path.basename(sys.path[0]), sys.path.index('" TEST_PYTHON_LIBRARY
                   "') > 1)");
}

// As the distribution that mod_wsgi has on PyPI, which Django projects name in INSTALLED_APPS.
TEST_F(Settings, LetAPackageOfItsNameExtendTheModule) {
  const Script folder("");
  const std::string package = (folder.folder() / "mod_wsgi").string();
  fs::create_directories(package + "/server/management");
  std::ofstream(package + "/__init__.py") << "version = 'of the package'\n";
  std::ofstream(package + "/server/__init__.py")
      << "import mod_wsgi\nname = __name__, mod_wsgi.version[0]\n";
  std::ofstream(package + "/server/management/__init__.py") << "";
  EXPECT_EVALUATES("\\(\\('mod_wsgi.server', 6\\), True, 'mod_wsgi', 'sub'\\)",
                   {.python_path = {folder.folder().string()}},
                   "(mod_wsgi.server.name, mod_wsgi.FileWrapper is environ['wsgi.file_wrapper'], "
                   "__import__('importlib.util').util.find_spec('mod_wsgi').name, "
                   "mod_wsgi.application_group)",
                   "sub",
                   "import mod_wsgi.server.management, mod_wsgi\nfrom mod_wsgi import server\n");
}

TEST_F(Settings, NeverRunPythonInAnotherEnvironment) {
  const Script folder("");
  const std::string venv = (folder.folder() / "venv").string();
  fs::create_directories(venv + "/bin");
  EXPECT_EVALUATES("Python cannot start: .*venv is not a Python environment",
                   {.python_program = venv + "/bin/python"}, "sys.prefix");
}

TEST_F(Settings, FindTheVirtualenvOfTheProgram) {
  const Script folder("");
  const std::string venv = (folder.folder() / "venv").string();
  ASSERT_EQ(system((TEST_PYTHON " -m venv --without-pip " + venv).c_str()), 0);
  EXPECT_EVALUATES("\\(True, True, True\\)", {.python_program = venv + "/bin/python"},
                   "(sys.prefix == '" + venv +
                       "', '" TEST_PYTHON_LIBRARY
                       "'.startswith(sys.base_prefix), any(p.startswith('" +
                       venv + "') for p in sys.path))");
}

TEST_F(Settings, WithAHomeThatIsNoInstallationFailInASentence) {
  EXPECT_EVALUATES("Python cannot start: ", {.python_home = "/no/such/home"}, "0");
}

TEST_F(Settings, ReachTheInterpreterFlags) {
  EXPECT_EVALUATES("\\(2, True, \\['error::UserWarning'\\]\\)",
                   {.optimize = 2, .warnings = {"error::UserWarning"}, .write_bytecode = false},
                   "(sys.flags.optimize, sys.dont_write_bytecode, sys.warnoptions)");
  EXPECT_EVALUATES("0.002", {.switch_interval_seconds = 0.002}, "sys.getswitchinterval()");
  EXPECT_EVALUATES("\\(0, 1\\)", {}, "(sys.flags.optimize, sys.flags.hash_randomization)");
}

TEST_F(Settings, FixTheHashSeed) {
  EXPECT_EVALUATES("\\(0, True\\)", {.hash_seed = 0},
                   "(sys.flags.hash_randomization, hash('a') == hash(''.join(['a'])))");
}

TEST_F(Settings, RestrictTheStreams) {
  EXPECT_EVALUATES("sys.stdin is restricted by mod_wsgi; WSGIRestrictStdin Off allows it",
                   {.restrict_stdin = true}, "sys.stdin.read()");
  EXPECT_EVALUATES("'mod_wsgi.Restricted'", {.restrict_stdin = true},
                   "type(sys.stdin).__module__ + '.' + type(sys.stdin).__name__");
  EXPECT_EVALUATES("sys.stdout is restricted by mod_wsgi; WSGIRestrictStdout Off allows it",
                   {.restrict_stdout = true}, "print('x')");
  EXPECT_EVALUATES("'<stdout> mod_wsgi.Log True'", {},
                   "sys.stdout.name + ' ' + type(sys.stdout.buffer).__module__ + '.' + "
                   "type(sys.stdout.buffer).__name__ + f' {hasattr(sys.stdin, \"read\")}'");
  EXPECT_EVALUATES("1", {.interactive = true}, "sys.stdout.fileno()");
}

TEST_F(Settings, AreOthersForTheInterpretersOfAnApplicationGroup) {
  const gateway::EngineSettings settings{
      .restrict_stdin = true,
      .interpreters = {{.restrict_stdout = true},
                       {.application_group = "sub", .restrict_stdin = false},
                       {.application_group = "", .restrict_stdout = false}}};
  constexpr char kRestricted[] =
      "[type(stream).__name__ for stream in (sys.stdin, sys.stdout, sys.stderr)]";
  EXPECT_EVALUATES("\\['Restricted', 'TextIOWrapper', 'TextIOWrapper'\\]", settings, kRestricted,
                   "");
  EXPECT_EVALUATES("\\['TextIOWrapper', 'Restricted', 'TextIOWrapper'\\]", settings, kRestricted,
                   "sub");
}

TEST_F(Settings, AddThePathsOfAnInterpreterBeforeThoseOfAll) {
  const Script folder("");
  const auto make = [&](const char* name) {
    std::filesystem::create_directories(folder.folder() / name);
    return (folder.folder() / name).string();
  };
  EXPECT_EVALUATES("\\['c', 'b', 'a'\\]",
                   {.python_path = {make("a")},
                    .interpreters = {{.python_path = {make("b")}},
                                     {.application_group = "other", .python_path = {make("x")}},
                                     {.application_group = "", .python_path = {make("c")}}}},
                   "[os.path.basename(p) for p in sys.path[:3]]", "");
}

TEST_F(Settings, LetSignalsBeTakenWhereTheMainInterpreterMay) {
  constexpr char kInstalls[] = "import signal\nsignal.signal(signal.SIGALRM, print)\n";
  constexpr char kIsInstalled[] = "signal.getsignal(signal.SIGALRM) is print";
  EXPECT_EVALUATES("True", {.interpreters = {{.application_group = "", .restrict_signal = false}}},
                   kIsInstalled, "", kInstalls);
  EXPECT_EVALUATES("False",
                   {.interpreters = {{.application_group = "other", .restrict_signal = false}}},
                   kIsInstalled, "", kInstalls);
}

constexpr char kTakesASignal[] = R"(
import signal, threading, time
at_import = threading.current_thread() is threading.main_thread()
taken = []
signal.signal(signal.SIGALRM, lambda number, frame: taken.append(threading.current_thread().name))
signal.setitimer(signal.ITIMER_REAL, 0.001)
print('printed at import', file=sys.stderr)
def wait():
    while not taken:
        time.sleep(0.001)
    return taken
)";

TEST_F(Settings, LetScriptsOfTheMainInterpreterTakeSignals) {
  EXPECT_EVALUATES("\\(True, \\['MainThread'\\]\\)\nprinted at import\n",
                   {.restrict_signal = false}, "(at_import, wait())", "", kTakesASignal);
  // What a handler raises is nobody's.
  const std::string raising = std::string(kTakesASignal) + R"(
def take(number, frame):
    taken.append(1)
    1 / 0
wait()
taken.clear()
signal.signal(signal.SIGALRM, take)
)";
  EXPECT_EVALUATES("\\[None, \\[1\\]\\]\n(.*\n)*.*ZeroDivisionError", {.restrict_signal = false},
                   "[os.kill(os.getpid(), signal.SIGALRM), wait()]", "", raising);
}

TEST_F(Settings, LetSignalsBeTakenAtTheImportIntoTheMainInterpreterOnly) {
  constexpr char kAdvice[] =
      "ValueError: signal only works in main thread of the main interpreter "
      "\\(in .*\\): signal handlers can be set only by a script that is";
  EXPECT_EVALUATES(kAdvice, {.restrict_signal = false}, "__import__('signal').signal(15, print)",
                   "");
  EXPECT_EVALUATES(kAdvice, {.restrict_signal = false}, "0", "sub", kTakesASignal);
}

TEST_F(Settings, LimitTheNumberOfInterpreters) {
  EXPECT_EVALUATES("0\nstatus 0", {.interpreters_max = 1}, "0");
  EXPECT_EXIT(
      {
        LogRecorder log;
        auto engine = engine::LocalEngine::open({.interpreters_max = 1}, log);
        const Script script("def application(e, s):\n    s('200 OK', [])\n    return []\n");
        int statuses[3] = {};
        int i = 0;
        for (const char* group : {"one", "two", ""}) {
          FakeExchange exchange;
          statuses[i++] = (*engine)
                              ->run({.application_group = group, .script = script.path()}, exchange)
                              .status;
          std::cerr << exchange.recorder().text_of(base::Message::interpreter_limit);
        }
        std::cerr << statuses[0] << " " << statuses[1] << " " << statuses[2] << std::endl;
        leave_process();
      },
      ::testing::ExitedWithCode(0),
      "'two' is one more than WSGIInterpreterLimit 1 allows\n0 503 0");
}

constexpr char kLogs[] = R"(
import logging
def fail():
    try:
        1 / 0
    except ZeroDivisionError:
        logging.getLogger('shop').exception('has failed')
    return [type(each).__name__ for each in logging.getLogger().handlers]
)";

TEST_F(Settings, PutAHandlerAtTheRootOfLogging) {
  EXPECT_EVALUATES("\\[\\]\nhas failed\n", {}, "fail()", "sub", kLogs);
  EXPECT_EVALUATES("\\['LogHandler'\\]\nhas failed\nTraceback .*\n",
                   {.logging = {.handler = gateway::Logging::Handler::lines}}, "fail()", "sub",
                   kLogs);
  EXPECT_EVALUATES("\\['LogHandler'\\]\nhas failed\nTraceback .*\n",
                   {.logging = {.handler = gateway::Logging::Handler::json}}, "fail()", "", kLogs);
}

}  // namespace

gateway::EngineSettings engine_settings() {
  return {};
}

}  // namespace pyhost::test
