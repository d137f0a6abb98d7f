// Two browsers talk over Django Channels.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <future>

#include "harness/command.h"
#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;

constexpr char kChromium[] = "/usr/bin/chromium";
constexpr char kChannels[] = "/usr/lib/python3/dist-packages/channels";

TEST(AsgiChat, BringsTwoBrowsersTogether) {
  for (const char* needed : {kChromium, kChannels}) {
    if (access(needed, R_OK) != 0) GTEST_SKIP() << "there is no " << needed;
  }
  Httpd httpd(
      "WSGIDaemonProcess g interface=asgi websocket-compression=on\n"
      "WSGIScriptAlias / ${APPS}/async_sites/chat_site.py callable-object=app process-group=g "
      "application-group=%{GLOBAL}\n");
  const auto browse = [&httpd](std::string name) {
    return run_command({kChromium, "--headless", "--no-sandbox", "--disable-gpu",
                        fmt::format("--user-data-dir={}/browser-{}", httpd.root(), name),
                        "--dump-dom",
                        fmt::format("http://127.0.0.1:{}/?name={}", httpd.port(), name)});
  };
  auto ann = std::async(std::launch::async, browse, "ann");
  const CommandResult bob = browse("bob");
  EXPECT_THAT(bob.output, HasSubstr("<li>ann ")) << bob;
  EXPECT_THAT(ann.get().output, HasSubstr("<li>bob "));
  // A browser that is closed says nothing, or that it goes away.
  httpd.expect_log("somebody has left with 100");
  httpd.wait_for_log("somebody has left with 100");
}

}  // namespace
}  // namespace pyhost::test
