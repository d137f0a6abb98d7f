#include "pyhost/gateway/target.h"

#include <gtest/gtest.h>

namespace pyhost::gateway {
namespace {

TEST(ModuleTarget, IsTakenApart) {
  std::string_view module, callable;
  ASSERT_TRUE(split_module_target("package.module:create_app", module, callable));
  EXPECT_EQ(module, "package.module");
  EXPECT_EQ(callable, "create_app");
}

TEST(ModuleTarget, IsNotAFilesPath) {
  std::string_view module, callable;
  for (const char* text :
       {"", "module", "/srv/app.wsgi", "/srv/a:b.wsgi", "./a:b", ":callable", "module:"}) {
    EXPECT_FALSE(split_module_target(text, module, callable)) << '"' << text << '"';
  }
}

}  // namespace
}  // namespace pyhost::gateway
