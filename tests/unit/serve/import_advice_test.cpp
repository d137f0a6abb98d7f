#include "serve/import_advice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/temp_dir.h"

namespace pyhost::serve {
namespace {

using testing::EndsWith;

class ImportAdvice : public testing::Test {
 protected:
  ImportAdvice() {
    folder_.write("shop/__init__.py", "");
    folder_.write("shop/wsgi.py", "");
  }

  std::string about_missing(const std::string& module, const std::string& missing) const {
    const Site site{.form = TargetForm::module,
                    .module = module,
                    .callable = "application",
                    .python_path = {folder_.path()}};
    return with_advice(
        "could not be imported: ModuleNotFoundError: No module named '" + missing + "'", site);
  }
  static std::string about_callable(const std::string& callable, const std::string& defined) {
    const Site site{.form = TargetForm::module, .module = "shop.wsgi", .callable = callable};
    return with_advice("does not define 'x'; the callables it defines are: " + defined, site);
  }

  test::TempDir folder_;
};

TEST_F(ImportAdvice, NamesTheModuleThatWasMeant) {
  EXPECT_THAT(about_missing("shp.wsgi", "shp"), EndsWith("did you mean shop.wsgi:application?"));
  EXPECT_THAT(about_missing("shop.wgsi", "shop.wgsi"),
              EndsWith("did you mean shop.wsgi:application?"));
}

TEST_F(ImportAdvice, SaysWhereAModuleWasLookedFor) {
  EXPECT_THAT(about_missing("elsewhere", "elsewhere"),
              EndsWith("'elsewhere'; it was looked for in " + folder_.path() +
                       " and Python's own packages; --python-path names another folder"));
}

// The module is there, and imports what is not.
TEST_F(ImportAdvice, LeavesAMissingPackageAlone) {
  EXPECT_THAT(about_missing("shop.wsgi", "flask"), EndsWith("No module named 'flask'"));
}

TEST_F(ImportAdvice, NamesTheFolderAboveAScriptThatHasItsPackage) {
  const Site site{.form = TargetForm::script, .path = folder_.path() + "/shop/wsgi.py"};
  EXPECT_THAT(with_advice("ModuleNotFoundError: No module named 'shop.settings'", site),
              EndsWith("; try --python-path " + folder_.path()));
  EXPECT_THAT(with_advice("ModuleNotFoundError: No module named 'flask'", site),
              EndsWith("'flask'"));
}

TEST_F(ImportAdvice, NamesTheCallableThatWasMeant) {
  EXPECT_THAT(about_callable("aplication", "helper, application"),
              EndsWith("; did you mean shop.wsgi:application?"));
  EXPECT_THAT(about_callable("main", "helper, create_app"),
              EndsWith("; did you mean shop.wsgi:create_app()?"));
  EXPECT_THAT(about_callable("main", "helper, other"), EndsWith("helper, other"));
  EXPECT_THAT(about_callable("", "site, other"), EndsWith("; name one, as in shop.wsgi:site"));
}

}  // namespace
}  // namespace pyhost::serve
