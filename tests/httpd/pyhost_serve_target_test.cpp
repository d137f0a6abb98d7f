// What `pyhost serve` makes of its TARGET.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "harness/command.h"
#include "httpd/serve_run.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr char kApp[] = R"(
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"app"]
)";

constexpr char kFactory[] = R"(
def create_app():
    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"made"]
    return app
)";

TEST(PyhostServe, ServesAScriptUntilCtrlC) {
  const TempDir folder;
  Serve serve(folder, {folder.write("hello.wsgi", kHello)});
  EXPECT_EQ(serve.get("/a/b").body, "hello from ");
  serve.stop();
  EXPECT_THAT(serve.output(), HasSubstr("\"GET /a/b HTTP/1.1\" 200 "));
}

TEST(PyhostServe, FindsTheCallableInAScriptOrModule) {
  const TempDir folder;
  folder.write("site.py", kApp);
  folder.write("shop.py", kFactory);
  for (const auto& [target, body] : std::vector<std::pair<std::vector<std::string>, const char*>>{
           {{"site.py", "--callable", "app"}, "app"},
           {{"shop"}, "made"},
           {{"shop.py:create_app()"}, "made"}}) {
    Serve serve(folder, target);
    EXPECT_EQ(serve.get("/").body, body) << serve.output();
    serve.stop();
    EXPECT_THAT(serve.output(), Not(HasSubstr("error:")));
  }
}

TEST(PyhostServe, FindsOutThatAnApplicationIsAsgi) {
  constexpr char kAsgi[] = R"(
async def app(scope, receive, send):
    if scope['type'] == 'lifespan':
        print('the lifespan begins')
        await receive()
        await send({'type': 'lifespan.startup.complete'})
        await receive()
        return await send({'type': 'lifespan.shutdown.complete'})
    await send({'type': 'http.response.start', 'status': 200})
    await send({'type': 'http.response.body', 'body': scope['type'].encode()})
)";
  const TempDir folder;
  folder.write("main.py", kAsgi);
  Serve serve(folder, {"main:app"});
  EXPECT_EQ(serve.get("/").body, "http") << serve.output();
  serve.stop();
  EXPECT_EQ(count(serve.output(), "the lifespan begins"), 1u) << serve.output();
  EXPECT_THAT(serve.output(), HasSubstr("1 process of 100 connections (ASGI)"));
  EXPECT_THAT(refusal(folder, {"main:app", "--embedded"}),
              HasSubstr("main:app is an ASGI application, and those run in workers: leave "
                        "--embedded out"));
}

TEST(PyhostServe, MakesAnApplicationInHttpdItselfToo) {
  const TempDir folder;
  folder.write("shop.py", kFactory);
  Serve serve(folder, {"shop:create_app()", "--embedded"});
  EXPECT_EQ(serve.get("/").body, "made") << serve.output();
  serve.stop();
  EXPECT_THAT(serve.output(), Not(HasSubstr("error:")));
}

TEST(PyhostServe, ServesAModuleBelowAMountPoint) {
  const TempDir folder;
  folder.write("shop/__init__.py", "");
  folder.write("shop/web.py", kHello);
  Serve serve(folder, {"shop.web:application", "--mount", "/shop", "--application-group", "shop"});
  EXPECT_EQ(serve.get("/shop/cart").body, "hello from /shop");
  EXPECT_EQ(serve.get("/").status, 403);
  serve.stop();
}

TEST(PyhostServe, ServesTheFolderOfADjangoProject) {
  const TempDir folder;
  folder.write("site/manage.py", "'DJANGO_SETTINGS_MODULE', 'shop.settings'");
  folder.write("site/shop/settings.py", "SECRET_KEY = 1");
  folder.write("site/shop/wsgi.py", "import shop.settings\n" + std::string(kHello));
  folder.write("site/.env", "SECRET=1");
  folder.write("site/.git/config", "");
  Serve serve(folder, {"site"});
  for (const char* path : {"/", "/shop/settings.py", "/.env", "/.git/config"}) {
    EXPECT_EQ(serve.get(path).body, "hello from ") << path;
  }
  serve.stop();
  EXPECT_THAT(serve.output(), HasSubstr("Serving shop.wsgi:application at http://127.0.0.1:"));
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
  Serve plain(folder, {folder.path() + "/site", "--application-type", "static"});
  const HttpClient client = plain.client();
  for (const char* path : kept) EXPECT_NE(plain.get(path).status, 200) << path;
  for (const char* path : {"/", "/index.html", "/b.pyramid", "/.well-known/x.txt"}) {
    EXPECT_EQ(plain.get(path).body, "text") << path;
  }
  plain.stop();

  Serve beside(folder, {script, "--static", "/s=" + folder.path() + "/site"});
  for (const char* path : kept) {
    EXPECT_NE(beside.get(std::string("/s") + path).status, 200) << path;
  }
  EXPECT_EQ(beside.get("/s/index.html").body, "text");
  EXPECT_EQ(beside.get("/settings.py").body, "hello from ");
  beside.stop();
}

TEST(PyhostServe, AsksWhatIsMeantByAFolder) {
  const TempDir folder;
  folder.write("thing/tool.py", "");
  EXPECT_THAT(refusal(folder, {"thing"}), HasSubstr("name the application, as in"));
}

TEST(PyhostServe, SaysHowElseATargetMayBeMeant) {
  const TempDir folder;
  folder.write("shop/__init__.py", "");
  folder.write("shop/wsgi.py", kHello);
  EXPECT_THAT(refusal(folder, {"shp.wsgi"}), HasSubstr("did you mean shop.wsgi:application?"));
  EXPECT_THAT(refusal(folder, {"shop.wsgi:aplication"}),
              HasSubstr("did you mean shop.wsgi:application?"));
  EXPECT_THAT(refusal(folder, {"elsewhere:app"}),
              HasSubstr("it was looked for in " + folder.path()));
}

TEST(PyhostServe, UsesTheVirtualenvBesideTheApplicationOrTheActiveOne) {
  const TempDir folder;
  folder.write("site/app.py", "import only_there\n" + std::string(kApp));
  ASSERT_TRUE(run_command({PYHOST_TEST_PYTHON, "-m", "venv", "--without-pip",
                           folder.path() + "/site/.venv"})
                  .ok());
  fs::path packages = folder.path() + "/site/.venv/lib";
  packages /= fs::directory_iterator(packages)->path().filename();
  folder.write(
      (packages / "site-packages/only_there.py").lexically_relative(folder.path()).string(), "");
  Serve beside(folder, {"site"});
  EXPECT_EQ(beside.get("/").body, "app") << beside.output();
  beside.stop();
  EXPECT_THAT(beside.output(), HasSubstr(" of site/.venv, 1 process of 10 threads"));

  fs::rename(folder.path() + "/site/.venv", folder.path() + "/active");
  Serve active(folder, {"site"}, {{"VIRTUAL_ENV", folder.path() + "/active"}});
  EXPECT_EQ(active.get("/").body, "app") << active.output();
  active.stop();
  EXPECT_THAT(refusal(folder, {"site"}), HasSubstr("No module named 'only_there'"));
}

TEST(PyhostServe, ServesAFolderWithAnyName) {
  const TempDir folder;
  const std::string odd = "a \"b\" [c]* ${HOME} %{x} \\d?";
  folder.write(odd + "/index.html", "index");
  Serve serve(folder, {folder.path() + "/" + odd});
  EXPECT_EQ(serve.get("/").body, "index");
  serve.stop();
}

TEST(PyhostServe, ServesAScriptWithAnyName) {
  const TempDir folder;
  Serve serve(folder, {folder.write("a \"b\" [c]* ${HOME}/%{x} \\d?.wsgi", kHello)});
  EXPECT_EQ(serve.get("/").body, "hello from ") << serve.output();
  serve.stop();
}

// --- Django's own command ------------------------------------------------------------------------

TEST(PyhostServe, IsACommandOfDjango) {
  const TempDir folder;
  folder.write("manage.py",
               "import os, sys\n"
               "os.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'\n"
               "from django.core.management import execute_from_command_line\n"
               "execute_from_command_line(sys.argv)\n");
  folder.write("shop/settings.py",
               "from pathlib import Path\n"
               "BASE_DIR = Path(__file__).parent.parent\n"
               "SECRET_KEY = 'x'\n"
               "ALLOWED_HOSTS = ['*']\n"
               "INSTALLED_APPS = ['pyhost_django', 'django.contrib.staticfiles']\n"
               "ROOT_URLCONF = 'shop.urls'\n"
               "STATIC_URL = '/static/'\n"
               "STATIC_ROOT = BASE_DIR / 'static'\n");
  folder.write("shop/urls.py",
               "from django.http import HttpResponse\n"
               "from django.urls import path\n"
               "urlpatterns = [path('', lambda request: HttpResponse('django'))]\n");
  folder.write("static/a.css", "css");
  Serve serve(folder, {PYHOST_TEST_PYTHON, "manage.py", "runpyhost"}, {"--threads", "2"},
              {{"PYHOST", PYHOST_TEST_PROGRAM},
               {"PYTHONPATH", PYHOST_TEST_PYTHON_FOLDER},
               {"DJANGO_SETTINGS_MODULE", "shop.settings"},
               {"PYTHONDONTWRITEBYTECODE", "1"}});
  EXPECT_EQ(serve.get("/").body, "django") << serve.output();
  EXPECT_EQ(serve.get("/static/a.css").body, "css");
  serve.stop();
  EXPECT_THAT(serve.output(), HasSubstr("1 process of 2 threads"));
}

// --- What it refuses -----------------------------------------------------------------------------

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

TEST(PyhostServe, SaysWhatAFactoryHasFailedWith) {
  const TempDir folder;
  EXPECT_THAT(refusal(folder, {folder.write("app.py", "def create_app(config): pass\n")}),
              HasSubstr("create_app() failed: TypeError: create_app() missing 1 required"));
}

TEST(PyhostServe, NamesTheCallablesWhenNoneIsFound) {
  const TempDir folder;
  const std::string script = folder.write("app.wsgi", "def site(environ, start_response): pass\n");
  EXPECT_THAT(refusal(folder, {script}),
              HasSubstr("the callables it defines are: site; name one, as in " + script + ":site"));
}

TEST(PyhostServe, SurvivesAnImportThatCrashes) {
  const TempDir folder;
  const std::string script =
      folder.write("app.wsgi", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n");
  EXPECT_THAT(refusal(folder, {script}), HasSubstr("ended the process with signal 9"));
}

TEST(PyhostServe, RefusesAScriptThatTheServingUserCannotRead) {
  const TempDir folder;
  const std::string script = folder.write("private/app.wsgi", kHello);
  chmod(getuid() == 0 ? (folder.path() + "/private").c_str() : script.c_str(),
        getuid() == 0 ? 0700 : 0);
  const std::string said = refusal(folder, {script});
  EXPECT_THAT(said, ContainsRegex("cannot (be )?(read|reach).*app.wsgi"));
  if (getuid() == 0) {
    EXPECT_THAT(said, HasSubstr("; let that user in, or name another one with --user"));
  }
}

TEST(PyhostServe, RefusesAPythonHomeThatIsNone) {
  const TempDir folder;
  EXPECT_THAT(
      refusal(folder, {folder.write("app.wsgi", kHello), "--python-home", folder.path()}),
      HasSubstr("pyhost: --python-home: " + folder.path() + " is not a Python environment"));
}

TEST(PyhostServe, PrintsTheConfigurationWithoutServing) {
  const TempDir folder;
  folder.write("app.py", kApp);
  Serve serve(folder, {"app.py", "--print-config"});
  serve.expect_end(0);
  EXPECT_THAT(serve.output(), AllOf(HasSubstr("WSGIScriptAlias \"/\" \"" + folder.path()),
                                    HasSubstr("callable-object=\"app\"")));
}

}  // namespace
}  // namespace pyhost::test
