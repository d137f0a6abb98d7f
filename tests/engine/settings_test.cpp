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
[[noreturn]] void evaluate(gateway::EngineSettings settings, const std::string& expression,
                           std::string_view group = "sub") {
  LogRecorder& log = *new LogRecorder;
  const Script script(
      "import os, sys\ndef application(environ, start_response):\n"
      "    start_response('200 OK', [])\n    return [repr(" +
      expression + ").encode()]\n");
  auto engine = engine::LocalEngine::start(std::move(settings), log);
  if (!engine) {
    std::cerr << engine.error().sentence << std::endl;
  } else {
    FakeExchange exchange;
    const auto outcome =
        (*engine)->run({.application_group = group, .script = script.path()}, exchange);
    std::cerr << exchange.body() << "\n";
    for (const LogRecord& record : exchange.recorder().records()) {
      if (record.level <= base::LogLevel::warn) std::cerr << record.text << "\n";
    }
    std::cerr << "status " << outcome.status << std::endl << log.text() << std::endl;
    (*engine)->stop(30s);
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

TEST_F(Settings, FindTheVirtualenvOfTheProgram) {
  const Script folder("");
  const std::string venv = (folder.folder() / "venv").string();
  ASSERT_EQ(system(("/usr/bin/python3 -m venv --without-pip " + venv).c_str()), 0);
  EXPECT_EVALUATES("\\(True, True, True\\)", {.python_program = venv + "/bin/python"},
                   "(sys.prefix == '" + venv + "', sys.base_prefix == '/usr', any(p.startswith('" +
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
  EXPECT_EVALUATES("'mod_wsgi.Log True'", {},
                   "type(sys.stdout).__module__ + '.' + "
                   "type(sys.stdout).__name__ + f' {hasattr(sys.stdin, \"read\")}'");
  EXPECT_EVALUATES("'_io'", {.interactive = true}, "type(sys.stdout).__module__");
}

TEST_F(Settings, LetSignalsBeTakenInTheMainInterpretersThreadOnly) {
  EXPECT_EVALUATES("ValueError: signal only works in main thread", {.restrict_signal = false},
                   "__import__('signal').signal(15, print)");
}

TEST_F(Settings, LimitTheNumberOfInterpreters) {
  EXPECT_EVALUATES("0\nstatus 0", {.interpreters_max = 1}, "0");
  EXPECT_EXIT(
      {
        LogRecorder log;
        auto engine = engine::LocalEngine::start({.interpreters_max = 1}, log);
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

}  // namespace

gateway::EngineSettings engine_settings() {
  return {};
}

}  // namespace pyhost::test
