// How `pyhost serve` begins, goes on and ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <filesystem>
#include <thread>

#include "harness/command.h"
#include "harness/port_lease.h"
#include "httpd/serve_run.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

TEST(PyhostServe, StopsForSigtermAndAClosedTerminal) {
  const TempDir folder;
  for (const int number : {SIGTERM, SIGHUP}) {
    Serve serve(folder, {folder.write("hello.wsgi", kHello)});
    EXPECT_EQ(serve.get("/").status, 200);
    serve.stop(number);
  }
}

// Answers when the file ROOT/go is there, and says by ROOT/begun that it has begun.
std::string slow_script(const TempDir& folder) {
  const std::string marks = folder.make_writable("marks");
  return folder.write("slow.wsgi",
                      "import os, time\n"
                      "def application(environ, start_response):\n"
                      "    open('" +
                          marks +
                          "/begun', 'w').close()\n"
                          "    while not os.path.exists('" +
                          marks +
                          "/go'):\n"
                          "        time.sleep(0.01)\n"
                          "    start_response('200 OK', [])\n"
                          "    return [b'slow']\n");
}

// Both places that an application can run in.
const std::vector<std::vector<std::string>> kPlaces = {{}, {"--embedded"}};

TEST(PyhostServe, DeliversTheRepliesOfRunningRequestsWhenItIsToldToStop) {
  for (const auto& place : kPlaces) {
    for (const int number : {SIGTERM, SIGINT}) {
      const TempDir folder;
      std::vector<std::string> arguments{slow_script(folder), "--stop-timeout", "600"};
      arguments.insert(arguments.end(), place.begin(), place.end());
      Serve serve(folder, arguments);
      HttpClient client = serve.client();
      Response reply;
      std::jthread request([&] { reply = client.get("/"); });
      ASSERT_TRUE(wait_until([&] { return fs::exists(folder.path() + "/marks/begun"); }));
      serve.signal(number);
      EXPECT_TRUE(serve.wait_for_output("Stopping; requests that run have 600 s"))
          << serve.output();
      folder.write("marks/go", "");
      request.join();
      EXPECT_EQ(reply.body, "slow") << reply;
      serve.expect_end(0);
    }
  }
}

TEST(PyhostServe, WaitsForNobodyWhenItIsToldTwiceOrTheTimeIsOver) {
  for (const char* seconds : {"600", "0"}) {
    const TempDir folder;
    Serve serve(folder, {slow_script(folder), "--graceful-timeout", seconds});
    HttpClient client = serve.client();
    Response reply;
    std::jthread request([&] { reply = client.get("/"); });
    ASSERT_TRUE(wait_until([&] { return fs::exists(folder.path() + "/marks/begun"); }));
    serve.signal(SIGTERM);
    if (seconds == std::string("600")) {
      EXPECT_TRUE(serve.wait_for_output("Stopping;")) << serve.output();
      serve.signal(SIGTERM);
    }
    serve.expect_end(0);
    request.join();
    EXPECT_EQ(reply.body, "");
  }
}

// Init would: nobody else waits for what an application leaves behind.
TEST(PyhostServe, WaitsForOrphans) {
  const TempDir folder;
  const std::string marks = folder.make_writable("marks");
  Serve serve(folder, {folder.write("app.wsgi",
                                    "import subprocess\n"
                                    "def application(environ, start_response):\n"
                                    "    subprocess.run(['/bin/sh', '-c', '(echo $PPID; exec "
                                    "/bin/sh -c \"echo \\\\$\\\\$\") >" +
                                        marks +
                                        "/pid &'])\n"
                                        "    start_response('200 OK', [])\n"
                                        "    return [b'done']\n")});
  EXPECT_EQ(serve.get("/").body, "done");
  ASSERT_TRUE(wait_until([&] {
    const std::string pids = read_file(marks + "/pid");
    return std::count(pids.begin(), pids.end(), '\n') == 2;
  }));
  const std::string pids = read_file(marks + "/pid");
  const std::string orphan = pids.substr(pids.find('\n') + 1);
  EXPECT_TRUE(wait_until([&] {
    return !fs::exists("/proc/" + orphan.substr(0, orphan.size() - 1));
  })) << pids;
  serve.stop();
}

// --- Its folder ----------------------------------------------------------------------------------

TEST(PyhostServe, KeepsAServerRootToItself) {
  const TempDir folder, other;
  const std::string root = folder.path() + "/root";
  Serve first(folder, {folder.write("a.wsgi", kHello), "--server-root", root});
  EXPECT_EQ(first.get("/").status, 200);
  const std::string config = read_file(root + "/httpd.conf");
  EXPECT_THAT(refusal(other, {other.write("b.wsgi", kHello), "--server-root", root}),
              HasSubstr("is in use by another pyhost serve"));
  EXPECT_EQ(read_file(root + "/httpd.conf"), config);
  first.stop();
  Serve again(folder, {folder.path() + "/a.wsgi", "--server-root", root});
  EXPECT_EQ(again.get("/").status, 200);
  again.stop();
}

TEST(PyhostServe, RemovesWhatAKilledOneHasLeftBehind) {
  const TempDir folder;
  const std::string script = folder.write("a.wsgi", kHello);
  Serve killed(folder, {script});
  EXPECT_EQ(killed.get("/").status, 200);
  const auto left = killed.files_left();
  killed.signal(SIGKILL);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_TRUE(fs::exists(left.front()));
  Serve next(folder, {script});
  EXPECT_EQ(next.get("/").status, 200);
  EXPECT_FALSE(fs::exists(left.front()));
  next.stop();
}

TEST(PyhostServe, WritesItsProcessIdWhereItIsToldTo) {
  const TempDir folder;
  const std::string file = folder.path() + "/pid";
  Serve serve(folder, {folder.write("a.wsgi", kHello), "--pid-file", file});
  EXPECT_EQ(serve.get("/").status, 200);
  EXPECT_EQ(read_file(file), std::to_string(serve.pid()) + "\n");
  serve.stop();
  EXPECT_FALSE(fs::exists(file));
}

TEST(PyhostServe, SaysWhenHttpdEndsByItself) {
  const TempDir folder;
  folder.write("files/index.html", "");
  Serve serve(folder, {"files", "--server-root", folder.path() + "/root"});
  // Until it has served a request it may not have come up entirely.
  EXPECT_EQ(serve.get("/").status, 200);
  kill(std::stoi(read_file(folder.path() + "/root/httpd.pid")), SIGTERM);
  serve.expect_end(1);
  EXPECT_THAT(serve.output(), HasSubstr("pyhost: httpd ended by itself with exit code 0"));
  EXPECT_TRUE(fs::exists(folder.path() + "/root/httpd.conf"));
}

TEST(PyhostServe, CanBeInterruptedWhileTheImportHangs) {
  const TempDir folder;
  const std::string mark = folder.path() + "/public/importing";
  fs::create_directories(folder.path() + "/public");
  chmod((folder.path() + "/public").c_str(), 0777);
  Serve serve(folder,
              {folder.write("app.wsgi", "import threading\nopen('" + mark +
                                            "', 'w').close()\nthreading.Event().wait()\n")});
  EXPECT_TRUE(wait_until([&] { return fs::exists(mark); })) << serve.output();
  serve.stop();
}

// --- A server to keep ----------------------------------------------------------------------------

TEST(PyhostSetup, WritesAServerThatItsScriptStartsAndStops) {
  const TempDir folder;
  const PortLease port;
  const std::string root = folder.make_writable("server");
  const auto setup =
      run_command({PYHOST_TEST_PROGRAM, "setup", root, folder.write("a.wsgi", kHello), "--port",
                   std::to_string(port.port()), "--working-directory", folder.path()});
  ASSERT_EQ(setup.exit_code, 0) << setup;
  const std::string script = root + "/pyhostctl";
  EXPECT_EQ(run_command({script}).exit_code, 2);
  EXPECT_EQ(run_command({script, "configtest"}).exit_code, 0);
  ASSERT_EQ(run_command({script, "start"}).exit_code, 0);
  HttpClient client({.port = port.port()});
  Response reply;
  EXPECT_TRUE(wait_until([&] { return (reply = client.get("/")).status == 200; })) << reply;
  EXPECT_EQ(reply.body, "hello from ");
  EXPECT_THAT(run_command({script, "status"}).output, HasSubstr("process group app: serving"));
  EXPECT_EQ(run_command({script, "reload"}).exit_code, 0);
  const pid_t httpd = std::stoi(read_file(root + "/httpd.pid"));
  EXPECT_EQ(run_command({script, "stop"}).exit_code, 0);
  EXPECT_TRUE(wait_until([&] { return kill(httpd, 0) != 0; }));
  EXPECT_THAT(read_file(root + "/pyhost.service"), HasSubstr("ExecStart=\"" + script + "\""));
}

TEST(PyhostSetup, IsKnownToPyhostServeAsSetupOnly) {
  const TempDir folder;
  const std::string script = folder.write("a.wsgi", kHello);
  const std::string root = folder.make_writable("server");
  const auto setup = run_command({PYHOST_TEST_PROGRAM, "serve", script, "--setup-only",
                                  "--server-root", root, "--rotate-logs"});
  ASSERT_EQ(setup.exit_code, 0) << setup;
  EXPECT_THAT(read_file(root + "/httpd.conf"), HasSubstr("rotatelogs"));
  EXPECT_EQ(run_command({root + "/pyhostctl", "configtest"}).exit_code, 0);
  EXPECT_THAT(refusal(folder, {script, "--setup-only"}),
              HasSubstr("--setup-only needs a folder to write to: --server-root"));
}

TEST(PyhostSetup, WritesOverNobodysConfiguration) {
  const TempDir folder;
  folder.write("mine/httpd.conf", "Listen 80\n");
  const auto setup = run_command(
      {PYHOST_TEST_PROGRAM, "setup", folder.path() + "/mine", folder.write("a.wsgi", kHello)});
  EXPECT_EQ(setup.exit_code, 1);
  EXPECT_THAT(setup.output, HasSubstr("mine/httpd.conf was not written by pyhost"));
  EXPECT_EQ(read_file(folder.path() + "/mine/httpd.conf"), "Listen 80\n");
}

// --- The process group ---------------------------------------------------------------------------

TEST(PyhostServe, RunsTheApplicationInProcessesThatAnOperatorCommands) {
  const TempDir folder;
  Serve serve(folder, {folder.write("app.wsgi",
                                    "import os\n"
                                    "def application(environ, start_response):\n"
                                    "    start_response('200 OK', [])\n"
                                    "    multi = environ['wsgi.multiprocess']\n"
                                    "    return [f'{os.getcwd()} {multi} '.encode(),\n"
                                    "            os.environ['COLOUR'].encode()]\n"),
                       "--processes", "2", "--threads", "3", "--env", "COLOUR=deep blue"});
  EXPECT_EQ(serve.get("/").body, folder.path() + " True deep blue") << serve.output();
  EXPECT_THAT(serve.output(), HasSubstr(", 2 processes of 3 threads"));
  const auto status = run_command({PYHOST_TEST_PROGRAM, "status"}, {{"TMPDIR", serve.temporary()}});
  EXPECT_THAT(status.output, AllOf(HasSubstr("process group app"), HasSubstr("/3"))) << status;
  const auto reload =
      run_command({PYHOST_TEST_PROGRAM, "reload", "app"}, {{"TMPDIR", serve.temporary()}});
  EXPECT_EQ(reload.exit_code, 0) << reload;
  serve.stop();
}

TEST(PyhostServe, HasOneProcessThatTellsApplicationsSo) {
  const TempDir folder;
  Serve serve(folder, {folder.write("app.wsgi",
                                    "def application(environ, start_response):\n"
                                    "    start_response('200 OK', [])\n"
                                    "    return [str(environ['wsgi.multiprocess']).encode()]\n")});
  EXPECT_EQ(serve.get("/").body, "False");
  serve.stop();
}

constexpr char kAnswers[] = R"(
import answer
def application(environ, start_response):
    start_response("200 OK", [])
    return [answer.text]
)";

TEST(PyhostServe, LoadsTheApplicationAnewWhenAnImportedFileChanges) {
  for (const auto& place : kPlaces) {
    const TempDir folder;
    folder.write("answer.py", "text = b'first'");
    std::vector<std::string> arguments{folder.write("app.wsgi", kAnswers), "--reload"};
    arguments.insert(arguments.end(), place.begin(), place.end());
    Serve serve(folder, arguments);
    EXPECT_EQ(serve.get("/").body, "first");
    folder.write("answer.py", "text = b'second'");
    EXPECT_TRUE(wait_until([&] { return serve.get("/").body == "second"; })) << serve.output();
    serve.stop();
  }
}

TEST(PyhostServe, GoesOnWhileCodeThatWasReloadedIsBroken) {
  const TempDir folder;
  folder.write("answer.py", "text = b'first'");
  Serve serve(folder, {folder.write("app.wsgi", kAnswers), "--reload"});
  EXPECT_EQ(serve.get("/").body, "first");
  folder.write("answer.py", "text = (");
  EXPECT_TRUE(serve.wait_for_output("SyntaxError")) << serve.output();
  EXPECT_EQ(serve.get("/").body, "first");
  folder.write("answer.py", "text = b'mended'");
  EXPECT_TRUE(wait_until([&] { return serve.get("/").body == "mended"; })) << serve.output();
  serve.stop();
}

// Files do not wait behind Python.
TEST(PyhostServe, ServesFilesWhileAllThreadsOfTheApplicationAreBusy) {
  const TempDir folder;
  folder.write("files/a.txt", "text");
  Serve serve(folder, {slow_script(folder), "--threads", "1", "--static", "/s=files"});
  HttpClient client = serve.client();
  std::jthread request([&] { client.get("/"); });
  ASSERT_TRUE(wait_until([&] { return fs::exists(folder.path() + "/marks/begun"); }));
  EXPECT_EQ(serve.get("/s/a.txt").body, "text");
  folder.write("marks/go", "");
  request.join();
  serve.stop();
}

}  // namespace
}  // namespace pyhost::test
