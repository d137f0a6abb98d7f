#include "serve/target_look.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/temp_dir.h"

namespace pyhost::serve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr char kManage[] = R"(
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')
)";

// "script app.py:app", "module shop.wsgi:application", "files", or the sentence.
std::string look(const FolderSketch& sketch) {
  const auto meaning = meaning_of(sketch, "site");
  if (!meaning) return meaning.error().sentence;
  if (!meaning->is_application) return "files";
  const std::string where = meaning->path.empty() ? "" : " in " + meaning->path;
  if (!meaning->script.empty()) return "script " + meaning->script + ":" + meaning->callable;
  return "module " + meaning->module + ":" + meaning->callable + where;
}

TEST(CallableDefined, IsFoundAtTheTopOfAScript) {
  for (const auto& [text, callable] : std::vector<std::pair<const char*, const char*>>{
           {"application = get_wsgi_application()\n", "application"},
           {"import os\napp=Flask(__name__)\napplication = app\n", "application"},
           {"app: Flask = Flask(__name__)", "app"},
           {"def application(environ, start_response):\n", "application"},
           {"class application:\n", "application"},
           {"def create_app(config=None):\n    app = 1\n", "create_app()"},
           {"def make_app():", "make_app()"},
           {"from shop.web import app", "app"},
           {"from shop.web import helper, site as application\n", "application"},
           {"from shop.web import app as other\n", ""},
           {"applications = 1\nmyapp = 2\n", ""},
           {"    app = 1\n", ""},
           {"app == 1\n", ""},
           {"from app import thing\n", ""},
           {"# app = 1\n", ""},
           {"", ""}}) {
    EXPECT_EQ(callable_defined_in(text), callable) << text;
  }
}

TEST(Folder, OfADjangoProjectIsItsWsgiModule) {
  EXPECT_EQ(look({{"manage.py", kManage}, {"shop/wsgi.py", ""}, {"shop/settings.py", ""}}),
            "module shop.wsgi:application");
}

TEST(Folder, OfADjangoProjectWithManySettingsIsFoundAboveThem) {
  EXPECT_EQ(look({{"manage.py", "DJANGO_SETTINGS_MODULE\", \"config.settings.local\""},
                  {"config/wsgi.py", ""}}),
            "module config.wsgi:application");
}

TEST(Folder, WithAScriptIsThat) {
  EXPECT_EQ(look({{"app.py", "app = 1"}, {"static/index.html", ""}}), "script app.py:app");
  EXPECT_EQ(look({{"wsgi.py", "def create_app(): pass"}, {"app.py", "app = 1"}}),
            "script wsgi.py:create_app()");
  EXPECT_EQ(look({{"site.wsgi", "application = 1"}}), "script site.wsgi:application");
  EXPECT_EQ(look({{"src/app.py", "app = 1"}}), "script src/app.py:app");
}

TEST(Folder, WithPagesAndAnApplicationIsTheApplication) {
  EXPECT_EQ(look({{"index.html", ""}, {"app.py", "app = 1"}}), "script app.py:app");
}

TEST(Folder, WithAPackageIsItsApplication) {
  EXPECT_EQ(look({{"shop/__init__.py", "def create_app(): pass"}, {"setup.py", ""}}),
            "module shop:create_app()");
  EXPECT_EQ(look({{"shop/__init__.py", ""}, {"shop/app.py", "app = 1"}}), "module shop.app:app");
  EXPECT_EQ(look({{"src/shop/main.py", "app = 1"}, {"tests/app.py", "app = 1"}}),
            "module shop.main:app in src");
}

TEST(Folder, WithSeveralApplicationsIsAQuestion) {
  EXPECT_THAT(
      look({{"shop/app.py", "app = 1"}, {"blog/app.py", "app = 1"}}),
      StartsWith("site has several applications; which one is to be served: blog.app:app or "
                 "shop.app:app?"));
}

TEST(Folder, OfWebPagesIsFiles) {
  EXPECT_EQ(look({{"index.html", ""}}), "files");
  EXPECT_EQ(look({{"a/picture.png", ""}}), "files");
  EXPECT_EQ(look({{"index.html", ""}, {"make.py", ""}}), "files");
}

TEST(Folder, OfAnythingElseIsAQuestion) {
  EXPECT_THAT(look({{"thing.py", ""}}), AllOf(HasSubstr("name the application, as in"),
                                              HasSubstr("--application-type static")));
  EXPECT_THAT(look({}), StartsWith("site has no files"));
}

TEST(Folder, IsLookedAtWithoutHiddenFilesAndWithTextsOfUsualNamesAlone) {
  const test::TempDir folder;
  folder.write("app.py", "app = 1");
  folder.write("other.py", "app = 1");
  folder.write(".git/config", "");
  folder.write("a/b/c/deep.py", "");
  folder.write("src/shop/app.py", "app = 2");
  const FolderSketch sketch = sketch_of(folder.path());
  EXPECT_EQ(sketch.at("app.py"), "app = 1");
  EXPECT_THAT(sketch.at("other.py"), IsEmpty());
  EXPECT_EQ(sketch.at("src/shop/app.py"), "app = 2");
  EXPECT_THAT(sketch, Not(testing::Contains(testing::Key(".git/config"))));
  EXPECT_THAT(sketch, Not(testing::Contains(testing::Key("a/b/c/deep.py"))));
}

}  // namespace
}  // namespace pyhost::serve
