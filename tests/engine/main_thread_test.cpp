// What Python takes for its main thread.

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using ::testing::StartsWith;

// On a thread of its own, which has imported nothing before.
Reply run_on_new_thread(const Script& script, std::string_view group) {
  Reply reply;
  std::thread([&] { reply = run(script, {}, group); }).join();
  return reply;
}

constexpr char kAsking[] = R"(
import asyncio, sys, threading
def is_main():
    return threading.current_thread() is threading.main_thread()
at_import = is_main()
if sys.version_info < (3, 14):
    asyncio.get_event_loop()
seen = []
def look():
    seen.append(is_main())
    threading.main_thread().join(0.001)
    seen.append(threading.main_thread().name)
thread = threading.Thread(target=look)
thread.start()
thread.join()
def application(environ, start_response):
    start_response('200 OK', [])
    return [f'{at_import} {seen} {is_main()}'.encode()]
)";

TEST(MainThread, IsTheThreadThatImportsAScriptToItself) {
  for (const std::string_view group : {"a main thread", "another one"}) {
    const Script first(kAsking), second(kAsking);
    std::thread([&] {
      EXPECT_EQ(run(first, {}, group).body(), "True [False, 'MainThread'] True");
      EXPECT_EQ(run(first, {}, group).body(), "True [False, 'MainThread'] True");
    }).join();
    // Another thread is it for an import only.
    EXPECT_EQ(run_on_new_thread(first, group).body(), "True [False, 'MainThread'] False");
    EXPECT_EQ(run_on_new_thread(second, group).body(), "True [False, 'MainThread'] False");
  }
  const Script in_main(kAsking);
  EXPECT_THAT(run_on_new_thread(in_main, "").body(), StartsWith("True [False,"));
}

TEST(MainThread, IsEachOfTheThreadsThatImportAtTheSameTime) {
  const Script slow(R"(
import os, threading, time
folder = os.path.dirname(__file__)
open(os.path.join(folder, 'importing'), 'w').close()
while not os.path.exists(os.path.join(folder, 'go on')):
    time.sleep(0.001)
at_import = threading.current_thread() is threading.main_thread()
def application(environ, start_response):
    start_response('200 OK', [])
    return [repr(at_import).encode()]
)");
  Reply late;
  std::thread first([&] { late = run(slow, {}, "two at once"); });
  while (!std::filesystem::exists(slow.folder() / "importing")) std::this_thread::yield();
  const Script quick(kAsking);
  EXPECT_THAT(run_on_new_thread(quick, "two at once").body(), StartsWith("True [False,"));
  std::ofstream(slow.folder() / "go on").close();
  first.join();
  EXPECT_EQ(late.body(), "True");
}

TEST(MainThread, IsNotThatOfAnImportThatHasFailed) {
  const Script good(kAsking);
  EXPECT_TRUE(run_on_new_thread(good, "failing").complete());
  const Script bad("raise ValueError\n");
  std::thread([&] {
    EXPECT_EQ(run(bad, {}, "failing").refused(), 500);
    EXPECT_EQ(run(good, {}, "failing").body(), "True [False, 'MainThread'] False");
  }).join();
}

}  // namespace
}  // namespace pyhost::test
