#include "serve/reload_patterns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/temp_dir.h"

namespace pyhost::serve {
namespace {

TEST(ReloadPatterns, FindTheApplicationsOwnCode) {
  const test::TempDir folder;
  for (const char* name :
       {"app.py", "shop/models.py", "env/pyvenv.cfg", ".git/x", "node_modules/x", "a[b/x.py"}) {
    folder.write(name, "");
  }
  const std::string root = folder.path();
  EXPECT_THAT(python_patterns({root, root, "/"}),
              testing::UnorderedElementsAre(root + "/*.py", root + "/shop/**/*.py",
                                            root + "/a[[]b/**/*.py"));
}

}  // namespace
}  // namespace pyhost::serve
