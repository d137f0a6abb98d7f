// `pyhost serve` as a person runs it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <regex>
#include <thread>

#include "harness/http_client.h"
#include "harness/process.h"
#include "harness/temp_dir.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kHello[] = R"(
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello from " + environ["SCRIPT_NAME"].encode()]
)";

// One run. Temporary files of the program go to a folder of the test, to be counted.
class Serve {
 public:
  Serve(const TempDir& folder, std::vector<std::string> arguments)
      : temporary_(folder.path() + "/tmp"), output_file_(folder.path() + "/output.txt") {
    fs::remove(output_file_);
    fs::create_directories(temporary_);
    arguments.insert(arguments.begin(), {PYHOST_TEST_PROGRAM, "serve"});
    process_.emplace(ProcessSpec{.arguments = std::move(arguments),
                                 .environment = {{"PATH", "/usr/bin:/bin"}, {"TMPDIR", temporary_}},
                                 .output_file = output_file_});
  }

  // Waits until it serves.
  HttpClient client() {
    std::smatch found;
    std::string text;
    const bool up = wait_until([&] {
      text = output();
      return std::regex_search(text, found, std::regex("Serving .* at http://127.0.0.1:(\\d+)/")) ||
             process_->poll_status();
    });
    EXPECT_TRUE(up && !found.empty()) << text;
    return HttpClient({.port = found.empty() ? 0 : std::stoi(found[1])});
  }
  Response get(const std::string& path) { return client().get(path); }

  void signal(int number) { process_->signal(number); }
  void stop(int signal_number = SIGINT) {
    process_->signal(signal_number);
    expect_end(0);
  }
  void expect_end(int exit_code) {
    const auto status = process_->wait_status();
    ASSERT_TRUE(status.has_value()) << "pyhost does not end:\n" << output();
    EXPECT_EQ(*status, exit_code << 8) << describe_status(*status) << '\n' << output();
    EXPECT_THAT(files_left(), IsEmpty());
  }
  bool wait_for_output(const std::string& text) {
    return wait_until([&] { return output().find(text) != std::string::npos; });
  }

  std::string output() const { return read_file(output_file_); }
  pid_t pid() const { return process_->pid(); }

 private:
  std::vector<std::string> files_left() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(temporary_)) names.push_back(entry.path());
    return names;
  }

  const std::string temporary_;
  const std::string output_file_;
  std::optional<Process> process_;
};

// What it says when it does not serve at all.
std::string refusal(const TempDir& folder, std::vector<std::string> arguments) {
  Serve serve(folder, std::move(arguments));
  serve.expect_end(1);
  EXPECT_THAT(serve.output(), Not(HasSubstr("Serving")));
  return serve.output();
}

TEST(PyhostServe, ServesAScriptUntilCtrlC) {
  const TempDir folder;
  Serve serve(folder, {folder.write("hello.wsgi", kHello), "--port", "0"});
  EXPECT_EQ(serve.get("/a/b").body, "hello from ");
  serve.stop();
  EXPECT_THAT(serve.output(), HasSubstr("\"GET /a/b HTTP/1.1\" 200 "));
}

TEST(PyhostServe, StopsForSigtermAndAClosedTerminal) {
  const TempDir folder;
  for (const int number : {SIGTERM, SIGHUP}) {
    Serve serve(folder, {folder.write("hello.wsgi", kHello), "--port", "0"});
    EXPECT_EQ(serve.get("/").status, 200);
    serve.stop(number);
  }
}

TEST(PyhostServe, ServesAModuleBelowAMountPoint) {
  const TempDir folder;
  folder.write("shop/__init__.py", "");
  folder.write("shop/web.py", kHello);
  Serve serve(folder, {"shop.web:application", "--python-path", folder.path(), "--port", "0",
                       "--mount", "/shop", "--application-group", "shop"});
  EXPECT_EQ(serve.get("/shop/cart").body, "hello from /shop");
  EXPECT_EQ(serve.get("/").status, 403);
  serve.stop();
}

TEST(PyhostServe, ServesStaticFilesBesideTheApplication) {
  const TempDir folder;
  folder.write("static/style.css", "body {}");
  Serve serve(folder, {folder.write("hello.wsgi", kHello), "--port", "0", "--static",
                       "/static=" + folder.path() + "/static"});
  const Response style = serve.get("/static/style.css");
  EXPECT_EQ(style.body, "body {}");
  EXPECT_EQ(style.header("content-type"), "text/css");
  EXPECT_EQ(serve.get("/other").body, "hello from ");
  serve.stop();
}

// Neither of a folder of files nor of a static one, even where the script itself lies in it.
TEST(PyhostServe, KeepsSourceFilesToItself) {
  const TempDir folder;
  for (const char* name : {"index.html", "settings.py", "a/models.PY", "a/x.pyc", ".env",
                           ".git/config", "a/.hidden/x.txt", "__pycache__/x.txt", "db.sqlite3",
                           "x.html~", "b.pyramid", ".well-known/x.txt"}) {
    folder.write(std::string("site/") + name, "text");
  }
  const std::string script = folder.write("site/hello.wsgi", kHello);
  const std::vector<const char*> kept = {"/settings.py",
                                         "/a/models.PY",
                                         "/a/x.pyc",
                                         "/.env",
                                         "/.git/config",
                                         "/a/.hidden/x.txt",
                                         "/__pycache__/x.txt",
                                         "/db.sqlite3",
                                         "/x.html~",
                                         "/settings.py/x",
                                         "/%73ettings%2epy",
                                         "//settings.py",
                                         "/a/../settings.py",
                                         "/hello.wsgi",
                                         "/%2eenv"};
  Serve plain(folder, {folder.path() + "/site", "--port", "0"});
  const HttpClient client = plain.client();
  for (const char* path : kept) EXPECT_NE(plain.get(path).status, 200) << path;
  for (const char* path : {"/", "/index.html", "/b.pyramid", "/.well-known/x.txt"}) {
    EXPECT_EQ(plain.get(path).body, "text") << path;
  }
  plain.stop();

  Serve beside(folder, {script, "--port", "0", "--static", "/s=" + folder.path() + "/site"});
  for (const char* path : kept) {
    EXPECT_NE(beside.get(std::string("/s") + path).status, 200) << path;
  }
  EXPECT_EQ(beside.get("/s/index.html").body, "text");
  EXPECT_EQ(beside.get("/settings.py").body, "hello from ");
  beside.stop();
}

TEST(PyhostServe, RefusesTheFolderOfAnApplication) {
  const TempDir folder;
  folder.write("shop/manage.py", "");
  EXPECT_THAT(refusal(folder, {folder.path() + "/shop"}),
              HasSubstr("is the folder of an application (it has manage.py)"));
}

TEST(PyhostServe, SaysHowElseATargetMayBeMeant) {
  const TempDir folder;
  EXPECT_THAT(refusal(folder, {"shop.wsgi"}), HasSubstr("as in shop.wsgi:application"));
  EXPECT_THAT(refusal(folder, {"wsgi.py:app"}), HasSubstr("which is --callable app"));
}

TEST(PyhostServe, AsksForTheCallableThatIsNamed) {
  const TempDir folder;
  std::string text = kHello;
  text.replace(text.find("application"), std::string("application").size(), "app");
  folder.write("shop_site.py", text);
  for (const std::vector<std::string>& target :
       {std::vector<std::string>{folder.path() + "/shop_site.py", "--callable", "app"},
        std::vector<std::string>{"shop_site:app", "--python-path", folder.path()}}) {
    std::vector<std::string> arguments = target;
    arguments.insert(arguments.end(), {"--port", "0"});
    Serve serve(folder, arguments);
    EXPECT_EQ(serve.get("/").body, "hello from ");
    serve.stop();
    EXPECT_THAT(serve.output(), Not(HasSubstr("PH0089")));
  }
}

// --- The end ---

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

TEST(PyhostServe, DeliversTheRepliesOfRunningRequestsWhenItIsToldToStop) {
  for (const int number : {SIGTERM, SIGINT}) {
    const TempDir folder;
    Serve serve(folder, {slow_script(folder), "--port", "0", "--graceful-timeout", "600"});
    HttpClient client = serve.client();
    Response reply;
    std::jthread request([&] { reply = client.get("/"); });
    ASSERT_TRUE(wait_until([&] { return fs::exists(folder.path() + "/marks/begun"); }));
    serve.signal(number);
    EXPECT_TRUE(serve.wait_for_output("shutting down gracefully")) << serve.output();
    folder.write("marks/go", "");
    request.join();
    EXPECT_EQ(reply.body, "slow") << reply;
    serve.expect_end(0);
  }
}

TEST(PyhostServe, WaitsForNobodyWhenItIsToldTwiceOrTheTimeIsOver) {
  for (const char* seconds : {"600", "0"}) {
    const TempDir folder;
    Serve serve(folder, {slow_script(folder), "--port", "0", "--graceful-timeout", seconds});
    HttpClient client = serve.client();
    Response reply;
    std::jthread request([&] { reply = client.get("/"); });
    ASSERT_TRUE(wait_until([&] { return fs::exists(folder.path() + "/marks/begun"); }));
    serve.signal(SIGTERM);
    if (seconds == std::string("600")) {
      EXPECT_TRUE(serve.wait_for_output("shutting down gracefully")) << serve.output();
      serve.signal(SIGTERM);
    }
    serve.expect_end(0);
    request.join();
    EXPECT_EQ(reply.status, 0);
  }
}

TEST(PyhostServe, KeepsAServerRootToItself) {
  const TempDir folder, other;
  const std::string root = folder.path() + "/root";
  Serve first(folder, {folder.write("a.wsgi", kHello), "--port", "0", "--server-root", root});
  EXPECT_EQ(first.get("/").status, 200);
  const std::string config = read_file(root + "/httpd.conf");
  EXPECT_THAT(refusal(other, {other.write("b.wsgi", kHello), "--port", "0", "--server-root", root}),
              HasSubstr("is in use by another pyhost serve"));
  EXPECT_EQ(read_file(root + "/httpd.conf"), config);
  first.stop();
  Serve again(folder, {folder.path() + "/a.wsgi", "--port", "0", "--server-root", root});
  EXPECT_EQ(again.get("/").status, 200);
  again.stop();
}

TEST(PyhostServe, ServesAFolderWithAnyName) {
  const TempDir folder;
  const std::string odd = "a \"b\" [c]* ${HOME} %{x} \\d?";
  folder.write(odd + "/index.html", "index");
  Serve serve(folder, {folder.path() + "/" + odd, "--port", "0"});
  EXPECT_EQ(serve.get("/").body, "index");
  serve.stop();
}

TEST(PyhostServe, ServesAScriptWithAnyName) {
  const TempDir folder;
  Serve serve(folder, {folder.write("a \"b\" [c]* ${HOME}/%{x} \\d?.wsgi", kHello), "--port", "0"});
  EXPECT_EQ(serve.get("/").body, "hello from ");
  serve.stop();
}

TEST(PyhostServe, RestartsWhenAnImportedFileChanges) {
  const TempDir folder;
  folder.write("answer.py", "text = b'first'");
  Serve serve(folder, {folder.write("app.wsgi", R"(
import answer
def application(environ, start_response):
    start_response("200 OK", [])
    return [answer.text]
)"),
                       "--port", "0", "--reload"});
  EXPECT_EQ(serve.get("/").body, "first");
  folder.write("answer.py", "text = b'second'");
  EXPECT_TRUE(wait_until([&] { return serve.get("/").body == "second"; })) << serve.output();
  serve.stop();
}

TEST(PyhostServe, ShowsATracebackOnLinesOfItsOwn) {
  const TempDir folder;
  Serve serve(folder, {folder.write("app.wsgi",
                                    "def application(environ, start_response):\n"
                                    "    raise ValueError('no \"luck\"')\n"),
                       "--port", "0"});
  EXPECT_EQ(serve.get("/").status, 500);
  EXPECT_TRUE(serve.wait_for_output("\nValueError: no \"luck\"\n")) << serve.output();
  serve.stop();
}

TEST(PyhostServe, SaysWhenHttpdEndsByItself) {
  const TempDir folder;
  folder.write("files/index.html", "");
  Serve serve(folder,
              {folder.path() + "/files", "--port", "0", "--server-root", folder.path() + "/root"});
  // Until it has served a request it may not have come up entirely.
  EXPECT_EQ(serve.get("/").status, 200);
  kill(std::stoi(read_file(folder.path() + "/root/httpd.pid")), SIGTERM);
  serve.expect_end(1);
  EXPECT_THAT(serve.output(), HasSubstr("pyhost: httpd ended by itself with exit code 0"));
  EXPECT_TRUE(fs::exists(folder.path() + "/root/httpd.conf"));
}

TEST(PyhostServe, ShowsTheTracebackOfAScriptThatIsNoPython) {
  const TempDir folder;
  const std::string script = folder.write("app.wsgi", "def application(:\n");
  EXPECT_THAT(refusal(folder, {script}),
              ContainsRegex("File \".*app.wsgi\", line 1\n.*def application\\(:\n(.*\n)*"
                            "pyhost: .*app.wsgi.*SyntaxError"));
}

TEST(PyhostServe, ShowsTheTracebackOfAFailedImport) {
  const TempDir folder;
  EXPECT_THAT(refusal(folder, {folder.write("app.wsgi", "import no_such_module\n")}),
              ContainsRegex("Traceback(.*\n)*pyhost: .*No module named 'no_such_module'"));
}

TEST(PyhostServe, NamesTheCallablesWhenTheOneAskedForIsMissing) {
  const TempDir folder;
  const std::string script = folder.write("app.wsgi", "def app(environ, start_response): pass\n");
  EXPECT_THAT(refusal(folder, {script}), HasSubstr("the callables it defines are: app"));
}

TEST(PyhostServe, SurvivesAnImportThatCrashes) {
  const TempDir folder;
  const std::string script =
      folder.write("app.wsgi", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n");
  EXPECT_THAT(refusal(folder, {script}), HasSubstr("ended the process with signal 9"));
}

TEST(PyhostServe, CanBeInterruptedWhileTheImportHangs) {
  const TempDir folder;
  const std::string mark = folder.path() + "/public/importing";
  fs::create_directories(folder.path() + "/public");
  chmod((folder.path() + "/public").c_str(), 0777);
  Serve serve(folder, {folder.write("app.wsgi", "import threading\nopen('" + mark +
                                                    "', 'w').close()\nthreading.Event().wait()\n"),
                       "--port", "0"});
  EXPECT_TRUE(wait_until([&] { return fs::exists(mark); })) << serve.output();
  serve.stop();
}

TEST(PyhostServe, RefusesAScriptThatTheServingUserCannotRead) {
  const TempDir folder;
  const std::string script = folder.write("private/app.wsgi", kHello);
  chmod(getuid() == 0 ? (folder.path() + "/private").c_str() : script.c_str(),
        getuid() == 0 ? 0700 : 0);
  EXPECT_THAT(refusal(folder, {script}), ContainsRegex("cannot (be )?(read|reach).*app.wsgi"));
}

TEST(PyhostServe, RefusesAPythonHomeThatIsNone) {
  const TempDir folder;
  EXPECT_THAT(
      refusal(folder, {folder.write("app.wsgi", kHello), "--python-home", folder.path()}),
      HasSubstr("pyhost: --python-home: " + folder.path() + " is not a Python environment"));
}

TEST(PyhostServe, PrintsTheConfigurationWithoutServing) {
  const TempDir folder;
  Serve serve(folder, {folder.write("app.wsgi", kHello), "--print-config"});
  serve.expect_end(0);
  EXPECT_THAT(serve.output(), HasSubstr("WSGIScriptAlias \"/\" \"" + folder.path()));
}

}  // namespace
}  // namespace pyhost::test
