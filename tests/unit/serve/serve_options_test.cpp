#include "serve/serve_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "harness/temp_dir.h"

namespace pyhost::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ResolvedSite : public testing::Test {
 protected:
  ResolvedSite() { options_.target = folder_.write("project/app.wsgi", "application = None"); }

  std::string refusal() const {
    const auto site = resolve(options_);
    return site ? "accepted" : site.error().sentence;
  }
  Site site() const {
    const auto site = resolve(options_);
    EXPECT_TRUE(site.has_value()) << site.error().sentence;
    return site.value_or(Site());
  }

  test::TempDir folder_;
  ServeOptions options_;
};

TEST_F(ResolvedSite, IsAScriptWithItsFolderOnThePath) {
  EXPECT_EQ(site().form, TargetForm::script);
  EXPECT_EQ(site().path, folder_.path() + "/project/app.wsgi");
  EXPECT_EQ(site().callable, "application");
  EXPECT_THAT(site().python_path, ElementsAre(folder_.path() + "/project"));
}

TEST_F(ResolvedSite, IsAModuleWithTheCurrentFolderOnThePath) {
  options_.target = "shop.web:app";
  EXPECT_EQ(site().form, TargetForm::module);
  EXPECT_EQ(site().module, "shop.web");
  EXPECT_EQ(site().callable, "app");
  EXPECT_THAT(site().python_path, ElementsAre(std::filesystem::current_path().string()));
}

TEST_F(ResolvedSite, IsAFolderOfFiles) {
  options_.target = folder_.path() + "/project/";
  EXPECT_EQ(site().form, TargetForm::folder);
  EXPECT_EQ(site().path, folder_.path() + "/project");
  EXPECT_THAT(site().python_path, ElementsAre());
}

TEST_F(ResolvedSite, PrefersAFileToAModuleOfThatName) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  folder_.write("odd:name", "");
  options_.target = "odd:name";
  EXPECT_EQ(site().form, TargetForm::script);
  std::filesystem::current_path(before);
}

TEST_F(ResolvedSite, HasAMountWithoutSlashAtTheEnd) {
  options_.mount = "/shop//";
  EXPECT_EQ(site().mount, "/shop");
  options_.mount = "/";
  EXPECT_EQ(site().mount, "/");
}

TEST_F(ResolvedSite, HasStaticFolders) {
  options_.statics = {"/static/=" + folder_.path() + "/project"};
  ASSERT_EQ(site().statics.size(), 1u);
  EXPECT_EQ(site().statics[0].url, "/static");
  EXPECT_EQ(site().statics[0].folder, folder_.path() + "/project");
}

TEST_F(ResolvedSite, RefusesATargetThatIsNotThere) {
  options_.target = "/nonexistent/app.wsgi";
  EXPECT_EQ(refusal(),
            "/nonexistent/app.wsgi: No such file or directory; a script, package.module:callable "
            "or a folder is needed");
}

TEST_F(ResolvedSite, RefusesACallableWhereNoneIsChosen) {
  options_.callable = "app";
  options_.target = "shop.web:app";
  EXPECT_THAT(refusal(), HasSubstr("names its callable already"));
  options_.target = folder_.path();
  EXPECT_THAT(refusal(), HasSubstr("--callable is for a script"));
}

TEST_F(ResolvedSite, RefusesAMountThatIsNoUrlPath) {
  options_.mount = "shop";
  EXPECT_EQ(refusal(), "--mount 'shop': a URL path is needed, beginning with a slash");
}

TEST_F(ResolvedSite, RefusesABadStaticOption) {
  for (const auto& [text, sentence] : std::vector<std::pair<std::string, std::string>>{
           {"/static", "--static '/static': URL=DIR is needed"},
           {"/static=", "--static '/static=': URL=DIR is needed"},
           {"static=/tmp", "--static 'static': a URL path is needed"},
           {"/static=/nonexistent", "--static /nonexistent cannot be used: No such file"},
           {"/static=/etc/passwd", "--static /etc/passwd cannot be used: it is not a folder"}}) {
    options_.statics = {text};
    EXPECT_THAT(refusal(), HasSubstr(sentence));
  }
}

TEST_F(ResolvedSite, RefusesAFolderThatThePathCannotName) {
  std::filesystem::create_directory(folder_.path() + "/a:b");
  options_.python_path = {folder_.path() + "/a:b"};
  EXPECT_THAT(refusal(), HasSubstr("colon"));
}

TEST_F(ResolvedSite, RefusesNamesThatAConfigurationCannotHold) {
  options_.target = folder_.write("two\nlines.wsgi", "");
  EXPECT_THAT(refusal(), HasSubstr("control character"));
}

}  // namespace
}  // namespace pyhost::serve
