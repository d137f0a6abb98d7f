// `pyhost serve` under a service manager, and where it listens without a port.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <regex>

#include "harness/command.h"
#include "httpd/serve_run.h"
#include "httpd/unix_client.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A run whose arguments are all given.
class ServeRun {
 public:
  ServeRun(const TempDir& folder, std::vector<std::string> command, Environment environment = {})
      : output_(folder.path() + "/output.txt"), temporary_(folder.path() + "/tmp") {
    fs::remove(output_);
    fs::create_directories(temporary_);
    command.insert(command.begin(), {"/usr/bin/env", "-C", folder.path()});
    environment.insert(environment.end(), {{"PATH", "/usr/bin:/bin"}, {"TMPDIR", temporary_}});
    process_.emplace(
        ProcessSpec{.arguments = command, .environment = environment, .output_file = output_});
  }

  bool wait_for(const std::string& text) {
    return wait_until([&] { return output().find(text) != std::string::npos; });
  }
  void signal(int number) { process_->signal(number); }
  void expect_end(int exit_code) {
    EXPECT_EQ(process_->wait_status(), exit_code << 8) << output();
    EXPECT_TRUE(fs::is_empty(temporary_));
  }
  std::string output() const { return read_file(output_); }

 private:
  const std::string output_;
  const std::string temporary_;
  std::optional<Process> process_;
};

std::vector<std::string> serve(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {PYHOST_TEST_PROGRAM, "serve"});
  return arguments;
}

constexpr char kEnviron[] = R"(
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    names = "REMOTE_ADDR", "SERVER_NAME", "SERVER_PORT", "wsgi.url_scheme"
    return [" ".join(environ[name] for name in names).encode()]
)";

TEST(PyhostServe, ListensAtAUnixSocket) {
  const TempDir folder;
  const std::string app = folder.write("app.py", kEnviron);
  const std::string path = folder.make_writable("run") + "/app.sock";
  for (const char* place : {"--processes", "--embedded"}) {
    std::vector<std::string> arguments{app, "--bind", "unix:run/app.sock", place};
    if (place == std::string("--processes")) arguments.push_back("2");
    ServeRun run(folder, serve(arguments));
    ASSERT_TRUE(run.wait_for("Serving app.py:application at unix:" + path)) << run.output();
    EXPECT_THAT(ask_unix(path, "/"), HasSubstr("unix: shop.test 80 http"));
    struct stat file {};
    EXPECT_EQ(stat(path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0666u);
    run.signal(SIGTERM);
    run.expect_end(0);
    EXPECT_FALSE(fs::exists(path));
  }
}

TEST(PyhostServe, ListensAtAUnixSocketAndAPort) {
  const TempDir folder;
  folder.write("web/index.html", "a page");
  const std::string path = folder.make_writable("run") + "/app.sock";
  ServeRun run(folder, serve({"web", "--bind", "unix:" + path, "--bind", "127.0.0.1:0"}));
  ASSERT_TRUE(run.wait_for("Serving")) << run.output();
  EXPECT_THAT(ask_unix(path, "/"), HasSubstr("a page"));
  run.signal(SIGTERM);
  run.expect_end(0);
}

TEST(PyhostServe, TakesThePlaceOfASocketThatWasLeftBehindAndOfNothingElse) {
  const TempDir folder;
  const std::string app = folder.write("app.py", kEnviron);
  const std::string path = folder.make_writable("run") + "/app.sock";
  const auto refused = [&] {
    ServeRun run(folder, serve({app, "--bind", "unix:" + path}));
    run.expect_end(1);
    return run.output();
  };
  folder.write("run/app.sock", "somebody's file");
  EXPECT_THAT(refused(), HasSubstr("--bind unix:" + path + ": something else has this name"));
  EXPECT_EQ(read_file(path), "somebody's file");
  fs::remove(path);

  auto fd = unix_socket(SOCK_STREAM);
  const sockaddr_un address = unix_address(path);
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(fd.get(), 1), 0);
  EXPECT_THAT(refused(), HasSubstr("--bind unix:" + path + ": another program listens there"));

  fd.reset();
  ServeRun run(folder, serve({app, "--bind", "unix:" + path}));
  ASSERT_TRUE(run.wait_for("Serving")) << run.output();
  EXPECT_THAT(ask_unix(path, "/"), StartsWith("HTTP/1.1 200"));
  run.signal(SIGTERM);
  run.expect_end(0);
}

// Opens a socket as a service manager does, and becomes the program.
constexpr char kActivate[] = R"(
import os, socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(100)
print("port", listener.getsockname()[1], flush=True)
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="http")
os.execv(sys.argv[1], sys.argv[1:])
)";

TEST(PyhostServe, TakesTheSocketsOfAServiceManager) {
  const TempDir folder;
  folder.write("app.py",
               "import os\ndef application(environ, start_response):\n"
               "    start_response('200 OK', [])\n"
               "    return [repr([n for n in os.environ if 'LISTEN' in n]).encode()]\n");
  auto command = serve({"app.py"});
  command.insert(command.begin(), {"/usr/bin/python3", folder.write("activate.py", kActivate)});
  ServeRun run(folder, command);
  ASSERT_TRUE(run.wait_for("Serving")) << run.output();
  std::smatch found;
  const std::string output = run.output();
  ASSERT_TRUE(std::regex_search(output, found, std::regex("port (\\d+)")));
  EXPECT_THAT(output, HasSubstr("at http://127.0.0.1:" + found[1].str() + "/"));
  EXPECT_EQ(HttpClient({.port = std::stoi(found[1])}).get("/").body, "[]");
  run.signal(SIGTERM);
  run.expect_end(0);
}

TEST(PyhostServe, ListensEitherWhereItIsToldOrWhereAServiceManagerDoes) {
  const TempDir folder;
  auto command = serve({folder.write("app.py", kEnviron), "--port", "0"});
  command.insert(command.begin(), {"/usr/bin/python3", folder.write("activate.py", kActivate)});
  ServeRun run(folder, command);
  run.expect_end(1);
  EXPECT_THAT(run.output(), HasSubstr("pyhost: --port and the sockets of a service manager "
                                      "(LISTEN_FDS) exclude each other"));
}

// Where a service manager listens for the state of its services.
class Manager {
 public:
  explicit Manager(const std::string& path) : path_(path), socket_(unix_socket(SOCK_DGRAM)) {
    const sockaddr_un address = unix_address(path);
    EXPECT_EQ(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }

  std::string next() const {
    std::string text(4096, '\0');
    const ssize_t got = recv(socket_.get(), text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }
  Environment environment() const { return {{"NOTIFY_SOCKET", path_}}; }

 private:
  const std::string path_;
  const base::UniqueFd socket_;
};

TEST(PyhostServe, TellsAServiceManagerWhenItServesReloadsAndStops) {
  const TempDir folder;
  const Manager manager(folder.path() + "/notify");
  const std::string app = folder.write(
      "app.py",
      "import os\ndef application(environ, start_response):\n    start_response('200 OK', [])\n"
      "    return [repr([os.getpid(), 'NOTIFY_SOCKET' in os.environ]).encode()]\n");
  const std::string path = folder.make_writable("run") + "/app.sock";
  ServeRun run(folder, serve({app, "--bind", "unix:" + path}), manager.environment());
  EXPECT_THAT(manager.next(),
              AllOf(StartsWith("READY=1\n"), HasSubstr("STATUS=Serving app.py:application at")));
  const std::string before = ask_unix(path, "/");
  EXPECT_THAT(before, AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("False]")));

  run.signal(SIGUSR1);
  EXPECT_THAT(manager.next(), AllOf(StartsWith("RELOADING=1\nMONOTONIC_USEC="),
                                    Not(HasSubstr("MONOTONIC_USEC=0\n"))));
  EXPECT_THAT(manager.next(), AllOf(StartsWith("READY=1\n"), HasSubstr("STATUS=")));
  EXPECT_NE(ask_unix(path, "/").substr(before.rfind('[')), before.substr(before.rfind('[')));

  folder.write("app.py", "import nothing_of_this_name\n");
  run.signal(SIGUSR1);
  EXPECT_THAT(manager.next(), StartsWith("RELOADING=1\n"));
  EXPECT_THAT(manager.next(), AllOf(StartsWith("READY=1\n"), HasSubstr("nothing_of_this_name")));
  EXPECT_THAT(ask_unix(path, "/"), StartsWith("HTTP/1.1 200"));

  run.signal(SIGTERM);
  EXPECT_THAT(manager.next(), AllOf(StartsWith("STOPPING=1\n"), HasSubstr("EXTEND_TIMEOUT_USEC=")));
  run.expect_end(0);
}

TEST(PyhostServe, TellsAServiceManagerOfFilesAndOfApplicationsWithoutWorkers) {
  const TempDir folder;
  folder.write("web/index.html", "a page");
  folder.write("app.py", kEnviron);
  const Manager manager(folder.path() + "/notify");
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"web"}, {"app.py", "--embedded"}}) {
    auto command = serve(arguments);
    command.insert(command.end(), {"--port", "0"});
    ServeRun run(folder, command, manager.environment());
    EXPECT_THAT(manager.next(), StartsWith("READY=1\n")) << run.output();
    run.signal(SIGUSR1);
    EXPECT_THAT(manager.next(), StartsWith("RELOADING=1\n"));
    EXPECT_THAT(manager.next(), StartsWith("READY=1\n"));
    run.signal(SIGTERM);
    EXPECT_THAT(manager.next(), StartsWith("STOPPING=1\n"));
    run.expect_end(0);
  }
}

}  // namespace
}  // namespace pyhost::test
