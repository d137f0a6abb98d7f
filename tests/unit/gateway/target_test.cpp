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

TEST(Protocol, HasANameAndMayNeedALoop) {
  EXPECT_EQ(name_of(Protocol::wsgi), "WSGI");
  EXPECT_EQ(name_of(Protocol::asgi2), "ASGI 2");
  EXPECT_TRUE(needs_loop(Protocol::asgi));
  EXPECT_TRUE(needs_loop(Protocol::asgi2));
  EXPECT_FALSE(needs_loop(Protocol::wsgi));
  EXPECT_FALSE(needs_loop(Protocol::detected));
}

TEST(ScriptKey, IsTheSameForAllTargetsThatNameAScript) {
  const Target target{.application_group = "blog", .script = "/srv/app.wsgi", .callable = "one"};
  Target other = target;
  other.callable = "two";
  EXPECT_EQ(script_key(target), script_key(other));
  EXPECT_EQ(script_key(target), script_key("blog", "/srv/app.wsgi"));
  EXPECT_NE(script_key(target), script_key("blog/", "srv/app.wsgi"));
  EXPECT_NE(script_key("", "/srv/app.wsgi"), script_key("/srv/app.wsgi", ""));
}

TEST(Script, IsATargetWithTextsOfItsOwn) {
  const Target target{.kind = TargetKind::module,
                      .application_group = "blog",
                      .script = "package.site",
                      .callable = "app"};
  const Script script = script_of(target);
  EXPECT_EQ(script, (Script{"blog", "package.site", "app", TargetKind::module}));
  EXPECT_EQ(script_of(target_of(script)), script);
  EXPECT_EQ(script_key(script), script_key(target));
}

TEST(Script, HasTheNameThatPeopleKnow) {
  EXPECT_EQ(name_of(Script{"", "/srv/site.wsgi", "application"}), "/srv/site.wsgi");
  EXPECT_EQ(name_of(Script{"", "package.site", "app", TargetKind::module}), "package.site:app");
}

}  // namespace
}  // namespace pyhost::gateway
