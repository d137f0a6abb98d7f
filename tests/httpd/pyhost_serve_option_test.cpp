// What the options of `pyhost serve` do to its addresses, replies and logs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

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
using testing::StartsWith;

// --- Addresses -----------------------------------------------------------------------------------

TEST(PyhostServe, SpeaksHttpsWithACertificateOfItsOwn) {
  const TempDir folder;
  Serve serve(folder, {folder.write("a.wsgi", kHello), "--tls-self-signed", "--http2",
                       "--server-root", folder.path() + "/root"});
  EXPECT_THAT(serve.url(), StartsWith("https://127.0.0.1:"));
  HttpClient client(
      {.tls_port = serve.port(), .certificate = folder.path() + "/root/self-signed.crt"});
  for (const Protocol protocol : {Protocol::http11_tls, Protocol::h2_tls}) {
    const Response reply = client.request({.protocol = protocol});
    EXPECT_EQ(reply.body, "hello from ") << reply;
  }
  serve.stop();
  EXPECT_EQ(fs::status(folder.path() + "/root/self-signed").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST(PyhostServe, SendsClientsToHttps) {
  const TempDir folder;
  const PortLease plain, secure;
  Serve serve(folder, {folder.write("a.wsgi", kHello), "--tls-self-signed", "--https-only",
                       "--port", std::to_string(plain.port()), "--https-port",
                       std::to_string(secure.port()), "--server-root", folder.path() + "/root"});
  EXPECT_EQ(serve.port(), secure.port());
  HttpClient client({.port = plain.port(),
                     .tls_port = secure.port(),
                     .certificate = folder.path() + "/root/self-signed.crt"});
  const Response redirect = client.get("/a");
  EXPECT_EQ(redirect.status, 301);
  EXPECT_EQ(redirect.header("location"),
            "https://127.0.0.1:" + std::to_string(secure.port()) + "/a");
  EXPECT_EQ(client.request({.protocol = Protocol::http11_tls}).body, "hello from ");
  serve.stop();
}

TEST(PyhostServe, SaysWhenAPortIsInUse) {
  const TempDir folder;
  const std::string script = folder.write("a.wsgi", kHello);
  Serve first(folder, {script});
  const std::string port = std::to_string(first.port());
  const TempDir other;
  EXPECT_THAT(refusal(other, {script, "--port", port}),
              HasSubstr("--port " + port + ": the port is in use by another program"));
  first.stop();
}

// --- Replies -------------------------------------------------------------------------------------

TEST(PyhostServe, ServesFilesBesideTheApplication) {
  const TempDir folder;
  folder.write("static/style.css", "body {}");
  folder.write("root/robots.txt", "robots");
  folder.write("root/docs/index.html", "index");
  folder.write("root/.env", "secret");
  folder.write("icon.ico", "icon");
  Serve serve(folder, {folder.write("hello.wsgi", kHello), "--static", "/static=static",
                       "--url-alias", "/favicon.ico", "icon.ico", "--document-root", "root"});
  const Response style = serve.get("/static/style.css");
  EXPECT_EQ(style.body, "body {}");
  EXPECT_EQ(style.header("content-type"), "text/css");
  EXPECT_EQ(serve.get("/favicon.ico").body, "icon");
  EXPECT_EQ(serve.get("/robots.txt").body, "robots");
  EXPECT_EQ(serve.get("/docs/").body, "index");
  EXPECT_EQ(serve.get("/.env").status, 403);
  EXPECT_EQ(serve.get("/other").body, "hello from ");
  serve.stop();
}

TEST(PyhostServe, AddsToReplies) {
  const TempDir folder;
  const std::string script =
      folder.write("app.wsgi",
                   "def application(environ, start_response):\n"
                   "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
                   "    body = environ['wsgi.input'].read()\n"
                   "    return [(environ['GREETING'] + environ['REMOTE_ADDR']).encode() * 100]\n");
  Serve serve(folder, {script, "--compress", "--header", "X-Frame-Options: DENY", "--setenv",
                       "GREETING=hello ", "--max-body", "10", "--trust-proxy", "127.0.0.1",
                       "--server-status"});
  HttpClient client = serve.client();
  const Response reply = client.request({.headers = {{"Accept-Encoding", "gzip"}}});
  EXPECT_EQ(reply.header("content-encoding"), "gzip") << reply;
  EXPECT_EQ(reply.header("x-frame-options"), "DENY");
  EXPECT_THAT(client.request({.headers = {{"X-Forwarded-For", "203.0.113.7"}}}).body,
              StartsWith("hello 203.0.113.7"));
  EXPECT_EQ(client.request({.method = "POST", .body = "0123456789x"}).status, 413);
  EXPECT_THAT(client.get("/server-status").body, HasSubstr("Apache Server Status"));
  serve.stop();
}

TEST(PyhostServe, AsksForAPassword) {
  const TempDir folder;
  // htpasswd -nbs bob secret
  folder.write("users", "bob:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
  Serve serve(folder, {folder.write("a.wsgi", kHello), "--auth-file", "users"});
  HttpClient client = serve.client();
  EXPECT_EQ(client.get("/").status, 401);
  EXPECT_EQ(client.request({.headers = {{"Authorization", "Basic Ym9iOnNlY3JldA=="}}}).body,
            "hello from ");
  serve.stop();
}

TEST(PyhostServe, AsksAScriptForThePasswordAndRunsAService) {
  const TempDir folder;
  const std::string marks = folder.make_writable("marks");
  folder.write("users.py",
               "def check_password(environ, user, password):\n"
               "    return user == 'bob' and password == 'secret'\n");
  folder.write("jobs.py",
               "import threading\n"
               "open('" +
                   marks +
                   "/service', 'w').close()\n"
                   "threading.Event().wait()\n");
  Serve serve(folder, {folder.write("a.wsgi", kHello), "--auth-user-script", "users.py",
                       "--service-script", "jobs", "jobs.py"});
  HttpClient client = serve.client();
  EXPECT_EQ(client.get("/").status, 401);
  EXPECT_EQ(client.request({.headers = {{"Authorization", "Basic Ym9iOnNlY3JldA=="}}}).body,
            "hello from ");
  EXPECT_TRUE(wait_until([&] { return fs::exists(marks + "/service"); })) << serve.output();
  serve.stop();
}

TEST(PyhostServe, PassesOnToOtherServers) {
  const TempDir folder, behind;
  Serve other(behind, {behind.write("a.wsgi", kHello), "--mount", "/api"});
  Serve serve(folder, {folder.write("a.wsgi", kHello), "--proxy",
                       "/api=http://127.0.0.1:" + std::to_string(other.port()) + "/api"});
  EXPECT_EQ(serve.get("/api/x").body, "hello from /api");
  EXPECT_EQ(serve.get("/x").body, "hello from ");
  serve.stop();
  other.stop();
}

TEST(PyhostServe, IncludesConfigurationOfYours) {
  const TempDir folder;
  folder.write("mine.conf", "<Location \"/mine\">\nRequire all denied\n</Location>\n");
  Serve serve(folder, {folder.write("a.wsgi", kHello), "--include", "mine.conf"});
  EXPECT_EQ(serve.get("/").status, 200);
  EXPECT_EQ(serve.get("/mine").status, 403);
  serve.stop();
}

TEST(PyhostServe, RewritesByRulesOfYours) {
  const TempDir folder;
  folder.write("rules.conf",
               "RewriteRule ^/old/(.*)$ /new/$1 [PT]\n"
               "RewriteRule ^/moved$ /there [R=301,L]\n"
               "RewriteRule ^/gone$ - [G]\n");
  folder.write("files/robots.txt", "robots");
  Serve serve(folder, {folder.write("a.wsgi", R"(
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]
)"),
                       "--rewrite-rules", "rules.conf", "--document-root", "files"});
  HttpClient client = serve.client();
  EXPECT_EQ(client.get("/old/page").body, "/new/page");
  EXPECT_EQ(client.get("/moved").status, 301);
  EXPECT_EQ(client.get("/gone").status, 410);
  EXPECT_EQ(client.get("/robots.txt").body, "robots");
  EXPECT_EQ(client.get("/other").body, "/other");
  serve.stop();
}

// --- The environment -----------------------------------------------------------------------------

constexpr char kShowsVariables[] = R"(
import os
STAGE = os.environ["STAGE"]
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [("%s|%s|%s" % (STAGE, os.environ["MOTTO"], os.environ.get("PRIVATE"))).encode()]
)";

TEST(PyhostServe, TakesVariablesOfAShellScript) {
  const TempDir folder;
  folder.write("envvars",
               "echo 'this is read by nobody'\n"
               "export STAGE=test MOTTO=\"two\n lines\"\n"
               "PRIVATE=1\n");
  Serve serve(folder, {folder.write("a.wsgi", kShowsVariables), "--envvars-script", "envvars"});
  EXPECT_EQ(serve.get("/").body, "test|two\n lines|None");
  serve.stop();
}

TEST(PyhostServe, SaysWhenAScriptOfVariablesFails) {
  const TempDir folder;
  folder.write("envvars", "false\n");
  EXPECT_THAT(refusal(folder, {folder.write("a.wsgi", kHello), "--envvars-script", "envvars"}),
              HasSubstr("--envvars-script " + folder.path() +
                        "/envvars: the script fails when a shell reads it"));
}

// --- Logs ----------------------------------------------------------------------------------------

constexpr char kTalks[] = R"(
import sys
def application(environ, start_response):
    print("said in a request")
    if environ["PATH_INFO"] == "/fail":
        raise ValueError('no "luck"')
    start_response("200 OK", [])
    return [b"talks"]
)";

TEST(PyhostServe, ShowsWhatTheApplicationSaysWithoutAPrefix) {
  const TempDir folder;
  Serve serve(folder, {folder.write("app.wsgi", kTalks)});
  EXPECT_EQ(serve.get("/").status, 200);
  EXPECT_TRUE(serve.wait_for_output("\nsaid in a request\n")) << serve.output();
  EXPECT_EQ(serve.get("/fail").status, 500);
  EXPECT_TRUE(serve.wait_for_output("\nValueError: no \"luck\"\n")) << serve.output();
  serve.stop();
  // The first line is ours, and httpd's notices are left out.
  EXPECT_THAT(serve.output(), StartsWith("Serving app.wsgi:application at http://127.0.0.1:"));
  EXPECT_THAT(serve.output(), Not(HasSubstr("AH00")));
}

TEST(PyhostServe, LogsAsJson) {
  const TempDir folder;
  Serve serve(folder, {folder.write("app.wsgi", kTalks), "--log-format", "json"});
  EXPECT_EQ(serve.get("/").status, 200);
  EXPECT_TRUE(serve.wait_for_output(R"("message": "said in a request"})")) << serve.output();
  EXPECT_TRUE(serve.wait_for_output(R"("request": "GET / HTTP/1.1", "status": 200)"))
      << serve.output();
  serve.stop();
}

TEST(PyhostServe, LogsToFiles) {
  const TempDir folder;
  const std::string logs = folder.make_writable("logs");
  Serve serve(folder, {folder.write("app.wsgi", kTalks), "--log-directory", logs});
  EXPECT_EQ(serve.get("/").status, 200);
  serve.stop();
  EXPECT_THAT(read_file(logs + "/access_log"), HasSubstr("\"GET / HTTP/1.1\" 200"));
  EXPECT_THAT(read_file(logs + "/error_log"), HasSubstr("said in a request"));
  EXPECT_THAT(serve.output(), Not(HasSubstr("said in a request")));
}

TEST(PyhostServe, BeginsANewLogWhenOneIsLarge) {
  const TempDir folder;
  const std::string logs = folder.make_writable("100% of the logs");
  Serve serve(folder, {folder.write("app.wsgi", kTalks), "--log-directory", logs, "--rotate-logs",
                       "--max-log-size", "1", "--access-log-format", std::string(2000, 'x')});
  HttpClient client = serve.client();
  constexpr int kMoreThanAMegabyte = 600;
  for (int i = 0; i < kMoreThanAMegabyte; ++i) ASSERT_EQ(client.get("/").status, 200);
  const auto count = [&](const std::string& name) {
    return std::ranges::count_if(fs::directory_iterator(logs), [&](const auto& entry) {
      return entry.path().filename().string().starts_with(name);
    });
  };
  EXPECT_TRUE(wait_until([&] {
    client.get("/");
    return count("access_log.20") >= 2;
  }));
  serve.stop();
  EXPECT_EQ(count("error_log.20"), 1);
}

TEST(PyhostServe, RotatesNoTerminal) {
  const TempDir folder;
  EXPECT_THAT(refusal(folder, {folder.write("a.wsgi", kHello), "--rotate-logs"}),
              HasSubstr("--rotate-logs is for logs that are files; name one with --log-directory"));
}

// --- The command line and pyhost.toml ------------------------------------------------------------

CommandResult pyhost(const std::vector<std::string>& arguments) {
  std::vector<std::string> all{PYHOST_TEST_PROGRAM};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return run_command(all);
}

TEST(PyhostCommandLine, SaysWhatWasMeant) {
  for (const auto& [arguments, sentence] :
       std::vector<std::pair<std::vector<std::string>, const char*>>{
           {{"serve", "a.py", "--prot", "2", "--x"},
            "pyhost serve: there is no option --prot; did you mean --port?"},
           {{"serve", "a", "b"}, "pyhost serve: 'b' is a word too many"},
           {{"serve", "a", "--port"}, "pyhost serve: --port needs a value"},
           {{"serve", "a", "--threads", "x", "--port", "x"}, "pyhost serve: --threads x: a number"},
           {{"serv"}, "pyhost: there is no command 'serv'; did you mean serve?"},
           {{}, "pyhost: a command is needed"},
           {{"reload"}, "pyhost reload: GROUP is needed"}}) {
    const CommandResult said = pyhost(arguments);
    EXPECT_EQ(said.exit_code, 2) << said;
    EXPECT_THAT(said.output, StartsWith(sentence));
  }
}

TEST(PyhostServe, ReadsItsOptionsFromAFile) {
  const TempDir folder;
  folder.write("shop.py", kHello);
  folder.write("pyhost.toml", "target = \"shop\"\nthreads = 2\n");
  Serve serve(folder, {});
  EXPECT_EQ(serve.get("/").body, "hello from ");
  serve.stop();
  EXPECT_THAT(serve.output(), HasSubstr("1 process of 2 threads"));
  folder.write("pyhost.toml", "treads = 2\n");
  EXPECT_THAT(refusal(folder, {"shop"}),
              HasSubstr("pyhost.toml:1: treads: there is no such option; did you mean threads?"));
}

}  // namespace
}  // namespace pyhost::test
