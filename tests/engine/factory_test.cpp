// Callables that make the application: "create_app()".

#include <gmock/gmock.h>

#include <latch>
#include <thread>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

gateway::Target factory(const Script& script, std::string_view callable = "create_app()") {
  return {.script = script.path(), .callable = callable};
}

constexpr char kCountsCalls[] = R"(
calls = 0
def create_app():
    global calls
    calls += 1
    def app(environ, start_response):
        start_response('200 OK', [])
        return [f'call {calls}'.encode()]
    return app
create_other = create_app
)";

TEST(Factory, IsCalledOnceForAllRequests) {
  const Script script(kCountsCalls);
  EXPECT_EQ(run(factory(script)).body(), "call 1");
  EXPECT_EQ(run(factory(script)).body(), "call 1");
}

TEST(Factory, IsCalledAgainWhenTheScriptIsImportedAgain) {
  Script script(kCountsCalls);
  EXPECT_EQ(run(factory(script)).body(), "call 1");
  script.rewrite(
      "def create_app():\n"
      "    def app(environ, start_response):\n"
      "        start_response('200 OK', [])\n"
      "        return [b'changed']\n"
      "    return app\n");
  EXPECT_EQ(run(factory(script)).body(), "changed");
}

// Each makes an application of its own.
TEST(Factory, MayStandBesideAnotherOneOfTheScript) {
  const Script script(kCountsCalls);
  EXPECT_EQ(run(factory(script)).body(), "call 1");
  EXPECT_EQ(run(factory(script, "create_other()")).body(), "call 2");
  EXPECT_EQ(run(factory(script, "create_other()")).body(), "call 2");
}

TEST(Factory, IsCalledOnceForManyThreads) {
  const Script script(kCountsCalls);
  // The import is for another callable, so that all threads meet the factory together.
  ASSERT_TRUE(engine().prepare({.script = script.path(), .callable = ""}, server_log()));
  constexpr int kThreads = 8;
  std::latch together(kThreads);
  std::vector<std::jthread> threads;
  std::vector<std::string> bodies(kThreads);
  for (std::string& body : bodies) {
    threads.emplace_back([&] {
      together.arrive_and_wait();
      body = run(factory(script)).body();
    });
  }
  threads.clear();
  EXPECT_THAT(bodies, testing::Each("call 1"));
}

TEST(Factory, MayBeAMethodOfAnObject) {
  const Script script(std::string(kCountsCalls) +
                      "class makers:\n    create = staticmethod(create_app)\n");
  EXPECT_EQ(run(factory(script, "makers.create()")).body(), "call 1");
}

TEST(Factory, FailsAsTheImportDoes) {
  const Script script("def create_app():\n    raise ValueError('no database')\n");
  const Reply reply = run(factory(script));
  EXPECT_EQ(reply.refused(), 500);
  EXPECT_THAT(
      reply.log(),
      AllOf(HasSubstr("script " + script.path() +
                      " could not be imported: create_app() failed: ValueError: no database"),
            HasSubstr("in create_app")));
  const auto prepared = engine().prepare(factory(script), server_log());
  ASSERT_FALSE(prepared);
  EXPECT_THAT(prepared.error().sentence, HasSubstr("create_app() failed: ValueError"));
}

TEST(Factory, ThatNeedsArgumentsSaysWhich) {
  const Script script("def create_app(config): pass\n");
  EXPECT_THAT(
      run(factory(script)).log(),
      HasSubstr("create_app() failed: TypeError: create_app() missing 1 required positional "
                "argument: 'config'"));
}

TEST(Factory, ThatReturnsNoApplicationSaysWhatItReturned) {
  const Script script("def create_app(): return 'text'\n");
  EXPECT_THAT(run(factory(script)).log(), HasSubstr("it has returned no application but a "));
}

TEST(Factory, ThatIsNotThereIsMissedByItsName) {
  const Script script("def make_app(): pass\n");
  EXPECT_THAT(run(factory(script)).log(),
              HasSubstr("does not define 'create_app'; the callables it defines are: make_app"));
}

}  // namespace
}  // namespace pyhost::test
