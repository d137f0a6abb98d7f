// What the log says about failures that many have met.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kAsynchronous[] = "(in the main interpreter): this is an asynchronous (ASGI) appl";

class AsynchronousApplication : public ::testing::TestWithParam<const char*> {};

TEST_P(AsynchronousApplication, IsCalledThatInItsRecord) {
  const Reply reply = run_source(GetParam());
  EXPECT_EQ(reply.refused(), 500);
  const std::string record = reply.exchange->recorder().text_of(base::Message::application_raised);
  EXPECT_THAT(record, AllOf(HasSubstr("TypeError"), HasSubstr(kAsynchronous)));
  // No "coroutine was never awaited" beside it.
  EXPECT_EQ(reply.exchange->recorder().records().size(), 2u) << reply.log();
}

INSTANTIATE_TEST_SUITE_P(
    Of, AsynchronousApplication,
    ::testing::Values(
        "class FastAPI:\n    async def __call__(self, scope, receive, send): pass\n"
        "application = FastAPI()\n",
        "async def application(scope, receive, send): pass\n",
        "async def application(environ, start_response): return [b'']\n",
        "async def application(environ, start_response): yield b''\n",
        "async def answer(): pass\ndef application(environ, start_response): return answer()\n",
        "class Old:\n    def __init__(self, scope): pass\n    async def __call__(self, receive, "
        "send): pass\napplication = Old\n",
        "class Wrapped:\n    def __call__(self, scope, receive, send): pass\n"
        "inner = Wrapped()\n"
        "def application(environ, start_response): return inner(environ, start_response)\n"));

TEST(Advice, IsNotGivenForOtherErrors) {
  for (const char* source :
       {"def application(environ): pass\n",
        "def application(environ, start_response): return None\n",
        "async def helper(): pass\n"
        "def application(environ, start_response): raise TypeError('scope')\n",
        "def application(environ, start_response):\n    import no_such_module\n",
        "def application(environ, start_response): raise KeyError\n"}) {
    const Reply reply = run_source(source);
    EXPECT_EQ(reply.refused(), 500);
    EXPECT_THAT(reply.log(), HasSubstr("(in the main interpreter)\n")) << source;
  }
}

// Where Python looks in a program of its own, but not here.
constexpr char kNeedsAModule[] = R"(
import os, site
here = os.path.dirname(__file__)
{0}
{1}
def application(environ, start_response):
    import only_here.part
)";

TEST(Advice, SaysWhereAMissingModuleIs) {
  for (const char* at_import : {"", "import only_here.part"}) {
    const Script by_variable(
        fmt::format(kNeedsAModule, "os.environ['PYTHONPATH'] = here + '/none:' + here", at_import));
    fs::create_directories(by_variable.folder() / "only_here");
    std::ofstream(by_variable.folder() / "only_here/__init__.py") << "";
    EXPECT_THAT(run(by_variable, {}, fmt::format("by variable {}", at_import)).log(),
                AllOf(HasSubstr("No module named 'only_here' (in sub-interpreter"),
                      HasSubstr("): only_here is in " + by_variable.folder().string() +
                                ", which the variable PYTHONPATH names, but applications here do "
                                "not heed it; name the folder in WSGIPythonPath\nTraceback")));

    const Script of_user(fmt::format(kNeedsAModule, "site.USER_SITE = here", at_import));
    std::ofstream(of_user.folder() / "only_here.py") << "";
    EXPECT_THAT(run(of_user, {}, fmt::format("of a user {}", at_import)).log(),
                HasSubstr("): only_here is in " + of_user.folder().string() +
                          ", where pip install --user puts packages, but applications here do not "
                          "look there"));
  }
}

TEST(Advice, NamesWhatAThreadWithoutALoopIsToUse) {
  EXPECT_THAT(run_source("import asyncio, threading\n"
                         "def application(environ, start_response):\n"
                         "    caught = []\n"
                         "    def ask():\n"
                         "        try: asyncio.get_event_loop()\n"
                         "        except RuntimeError as error: caught.append(error)\n"
                         "    thread = threading.Thread(target=ask)\n"
                         "    thread.start()\n"
                         "    thread.join()\n"
                         "    raise caught[0]\n")
                  .log(),
              HasSubstr("): a thread that serves requests has no event loop of its own; use "
                        "asyncio.run()"));
}

}  // namespace
}  // namespace pyhost::test
