#include "serve/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

#include "harness/temp_dir.h"
#include "serve/target.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

// In a folder of its own as the current one.
class ResolvedSite : public testing::Test {
 protected:
  ResolvedSite() : before_(fs::current_path()) {
    unsetenv("VIRTUAL_ENV");
    options_.target = folder_.write("project/app.wsgi", "application = None");
    fs::current_path(folder_.path());
  }
  ~ResolvedSite() override {
    fs::current_path(before_);
    unsetenv("VIRTUAL_ENV");
  }

  std::string refusal() const {
    const auto site = resolve(options_);
    return site ? "accepted" : site.error().sentence;
  }
  Site site() const {
    const auto site = resolve(options_);
    EXPECT_TRUE(site.has_value()) << site.error().sentence;
    return site.value_or(Site());
  }
  Site site_of(const std::string& target) {
    options_.target = target;
    return site();
  }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

  test::TempDir folder_;
  fs::path before_;
  ServeOptions options_;
};

TEST(TargetWord, IsSplitAtItsLastColon) {
  EXPECT_EQ(split_callable("shop.wsgi:application").place, "shop.wsgi");
  EXPECT_EQ(split_callable("/a:b/app.py:create_app()").callable, "create_app()");
  EXPECT_EQ(split_callable("shop.wsgi").callable, "");
  EXPECT_EQ(split_callable(":app").callable, "");
}

TEST_F(ResolvedSite, IsAScriptWithItsFolderOnThePath) {
  EXPECT_EQ(site().form, TargetForm::script);
  EXPECT_EQ(site().path, path("project/app.wsgi"));
  EXPECT_EQ(site().callable, "");
  EXPECT_THAT(site().python_path, ElementsAre(path("project")));
}

TEST_F(ResolvedSite, IsAScriptWithItsCallable) {
  const Site site = site_of("project/app.wsgi:make.app()");
  EXPECT_EQ(site.path, path("project/app.wsgi"));
  EXPECT_EQ(site.callable, "make.app()");
  EXPECT_EQ(site.name(), path("project/app.wsgi:make.app()"));
}

TEST_F(ResolvedSite, IsAModuleWithTheCurrentFolderOnThePath) {
  const Site site = site_of("shop.web:app");
  EXPECT_EQ(site.form, TargetForm::module);
  EXPECT_EQ(site.module, "shop.web");
  EXPECT_EQ(site.callable, "app");
  EXPECT_THAT(site.python_path, ElementsAre(folder_.path()));
}

TEST_F(ResolvedSite, IsAModuleWhoseCallableIsStillToBeFound) {
  for (const char* target : {"shop.wsgi", "shop"}) {
    EXPECT_EQ(site_of(target).module, target);
    EXPECT_EQ(site_of(target).callable, "");
  }
}

TEST_F(ResolvedSite, FindsAPackageBelowSrc) {
  folder_.write("src/shop/__init__.py", "");
  EXPECT_THAT(site_of("shop:app").python_path, ElementsAre(path("src"), folder_.path()));
}

// What it imports by the name of its package, it is itself.
TEST_F(ResolvedSite, IsTheModuleOfAFileInAPackage) {
  folder_.write("site/shop/__init__.py", "");
  folder_.write("site/shop/web/__init__.py", "");
  folder_.write("site/shop/web/wsgi.py", "");
  const Site site = site_of("site/shop/web/wsgi.py");
  EXPECT_EQ(site.form, TargetForm::module);
  EXPECT_EQ(site.module, "shop.web.wsgi");
  EXPECT_THAT(site.python_path, ElementsAre(path("site")));
  EXPECT_EQ(site_of("site/shop/__init__.py").module, "shop");
}

TEST_F(ResolvedSite, IsAFolderOfFiles) {
  folder_.write("pages/index.html", "");
  const Site site = site_of("pages/");
  EXPECT_EQ(site.form, TargetForm::folder);
  EXPECT_EQ(site.path, path("pages"));
  EXPECT_THAT(site.python_path, ElementsAre());
}

TEST_F(ResolvedSite, IsTheApplicationOfAFolder) {
  const Site script = site_of("project");
  EXPECT_EQ(script.path, path("project/app.wsgi"));
  EXPECT_EQ(script.callable, "application");
  folder_.write("django/manage.py", "'DJANGO_SETTINGS_MODULE', 'shop.settings'");
  folder_.write("django/shop/wsgi.py", "");
  const Site django = site_of("django");
  EXPECT_EQ(django.name(), "shop.wsgi:application");
  EXPECT_THAT(django.python_path, ElementsAre(path("django")));
  folder_.write("package/__init__.py", "def create_app(): pass");
  const Site package = site_of("package");
  EXPECT_EQ(package.name(), "package:create_app()");
  EXPECT_THAT(package.python_path, ElementsAre(folder_.path()));
}

TEST_F(ResolvedSite, IsAFolderOfFilesWhateverLiesInItWhenToldSo) {
  options_.application_type = "static";
  EXPECT_EQ(site_of("project").form, TargetForm::folder);
}

TEST_F(ResolvedSite, PrefersAFileToAModuleOfThatName) {
  folder_.write("odd:name", "");
  EXPECT_EQ(site_of("odd:name").form, TargetForm::script);
}

TEST_F(ResolvedSite, HasTheVirtualenvThatIsActiveOrBesideIt) {
  EXPECT_EQ(site().python_home, "");
  folder_.write("project/venv/pyvenv.cfg", "");
  EXPECT_EQ(site().python_home, path("project/venv"));
  folder_.write("project/.venv/pyvenv.cfg", "");
  EXPECT_EQ(site().python_home, path("project/.venv"));
  setenv("VIRTUAL_ENV", "/srv/active", 1);
  EXPECT_EQ(site().python_home, "/srv/active");
  EXPECT_EQ(site().python_home_source, "$VIRTUAL_ENV");
  options_.python_home = "/srv/named";
  EXPECT_EQ(site().python_home, "/srv/named");
  EXPECT_EQ(site().python_home_source, "--python-home");
}

TEST_F(ResolvedSite, HasAMountWithoutSlashAtTheEnd) {
  options_.mount = "/shop//";
  EXPECT_EQ(site().mount, "/shop");
  options_.mount = "/";
  EXPECT_EQ(site().mount, "/");
}

TEST_F(ResolvedSite, HasStaticFoldersTheDeepestFirst) {
  options_.statics = {{"/static/", path("project")}, {"/static/app", path("project/app.wsgi")}};
  ASSERT_EQ(site().statics.size(), 2u);
  EXPECT_EQ(site().statics[0].url, "/static/app");
  EXPECT_TRUE(site().statics[0].is_file);
  EXPECT_EQ(site().statics[1].url, "/static");
  EXPECT_EQ(site().statics[1].path, path("project"));
}

TEST_F(ResolvedSite, RefusesATargetThatIsNotThere) {
  options_.target = "/nonexistent/app.wsgi";
  EXPECT_EQ(refusal(),
            "/nonexistent/app.wsgi: there is no such file; a script, package.module:callable or a "
            "folder is needed");
  options_.target = "project/ap.wsgi";
  EXPECT_THAT(refusal(), EndsWith("did you mean project/app.wsgi?"));
  options_.target = "";
  EXPECT_THAT(refusal(), HasSubstr("TARGET is needed"));
}

TEST_F(ResolvedSite, RefusesWhatIsNoCallable) {
  options_.target = "shop.web:create_app(1)";
  EXPECT_EQ(
      refusal(),
      "shop.web:create_app(1): 'create_app(1)' is no name of a callable; one is written as in "
      "shop.web:application or shop.web:create_app()");
}

TEST_F(ResolvedSite, RefusesACallableWhereNoneIsChosen) {
  options_.callable = "app";
  options_.target = "shop.web:app";
  EXPECT_THAT(refusal(), HasSubstr("names its callable"));
  folder_.write("pages/index.html", "");
  options_.target = "pages";
  EXPECT_THAT(refusal(), HasSubstr("--callable is for an application"));
}

TEST_F(ResolvedSite, RefusesAMountThatIsNoUrlPath) {
  options_.mount = "shop";
  EXPECT_EQ(refusal(), "--mount 'shop': a URL path is needed, beginning with a slash");
}

TEST_F(ResolvedSite, RefusesABadStaticOption) {
  options_.statics = {{"static", "/tmp"}};
  EXPECT_THAT(refusal(), HasSubstr("--static 'static': a URL path is needed"));
  options_.statics = {{"/static", "/nonexistent"}};
  EXPECT_THAT(refusal(), HasSubstr("--static /nonexistent cannot be used: No such file"));
}

TEST_F(ResolvedSite, RefusesAFolderThatThePathCannotName) {
  fs::create_directory(path("a:b"));
  options_.python_path = {path("a:b")};
  EXPECT_THAT(refusal(), HasSubstr("colon"));
}

}  // namespace
}  // namespace pyhost::serve
