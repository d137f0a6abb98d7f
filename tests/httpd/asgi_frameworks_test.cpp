// Debian's ASGI frameworks answer as they do under uvicorn.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/parse.h"
#include "harness/command.h"
#include "harness/httpd.h"
#include "harness/port_lease.h"
#include "harness/process.h"
#include "harness/temp_dir.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;

// The same application in a server of its own.
class Uvicorn {
 public:
  Uvicorn(const std::string& site, const std::string& folder)
      : process_({.arguments = {"/usr/bin/python3", "-B", "-m", "uvicorn", site + ":app",
                                "--app-dir", folder, "--port", std::to_string(port_.port())},
                  .environment = {{"LC_ALL", "C.UTF-8"}},
                  .output_file = folder_.path() + "/log"}) {
    const bool answers =
        wait_until([this] { return HttpClient({.port = port_.port()}).get("/").status == 200; });
    EXPECT_TRUE(answers) << read_file(folder_.path() + "/log");
  }

  int port() const noexcept { return port_.port(); }
  HttpClient client() const { return HttpClient({.port = port_.port()}); }

 private:
  const TempDir folder_;
  const PortLease port_;
  Process process_;
};

// Without what the two servers add each in its own way, and what is another each time.
Headers headers_of_application(const Response& response) {
  static const std::set<std::string> of_servers = {
      "date",       "expires",           "server", "connection",
      "keep-alive", "transfer-encoding", "allow",  "content-length"};
  Headers headers;
  for (const auto& [name, value] : response.headers) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), base::ascii_lower);
    if (!of_servers.contains(lower)) headers.emplace_back(std::move(lower), value);
  }
  std::ranges::stable_sort(headers, {}, &Headers::value_type::first);
  return headers;
}

std::vector<Request> requests() {
  const std::string upload =
      "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nA title\r\n"
      "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n" +
      std::string(300'000, 'u') + "\r\n--x--\r\n";
  const Headers json = {{"Content-Type", "application/json"}};
  const Headers form = {{"Content-Type", "multipart/form-data; boundary=x"}};
  const std::string order = R"({"name": "tea", "count": 2})";
  return {
      {.path = "/"},
      {.method = "HEAD", .path = "/file"},
      {.method = "OPTIONS", .path = "/"},
      {.path = "/items/7?q=%C3%A4%20b"},
      {.path = "/items/seven"},
      {.path = "/nowhere"},
      {.method = "POST", .path = "/", .body = "x"},
      {.method = "POST", .path = "/echo", .headers = json, .body = order},
      {.method = "POST", .path = "/echo", .headers = json, .body = order, .chunked = true},
      {.method = "POST", .path = "/upload", .headers = form, .body = upload},
      {.method = "POST", .path = "/upload", .headers = form, .body = upload, .chunked = true},
      {.path = "/stream"},
      {.path = "/file"},
      {.path = "/redirect"},
      {.path = "/cookie"},
      {.path = "/cookie", .headers = {{"Cookie", "seen=yes; other=2"}}},
      {.path = "/background"},
      {.path = "/fail"},
      {.path = "/stream", .protocol = Protocol::http10},
  };
}

struct Framework {
  const char* site;
  const char* module;
};

class AsgiFrameworks : public testing::TestWithParam<Framework> {
 protected:
  void SetUp() override {
    const std::string module = std::string("/usr/lib/python3/dist-packages/") + GetParam().module;
    if (access(module.c_str(), R_OK) != 0) GTEST_SKIP() << "there is no " << module;
  }

  std::string config(std::string_view options) const {
    return fmt::format(
        "WSGIDaemonProcess g threads=4 {1}\n"
        "WSGIScriptAlias / ${{APPS}}/async_sites/{0}.py callable-object=app process-group=g "
        "application-group=%{{GLOBAL}}\n",
        GetParam().site, options);
  }
};

TEST_P(AsgiFrameworks, AnswerAsUnderUvicorn) {
  Httpd httpd(config("interface=asgi"));
  const Uvicorn uvicorn(GetParam().site, httpd.root() + "/apps/async_sites");
  httpd.tolerate_log("PH0174");
  httpd.tolerate_log("on purpose");
  HttpClient theirs = uvicorn.client();
  HttpClient ours = httpd.client();
  for (const Request& request : requests()) {
    const Response expected = theirs.request(request);
    const Response got = ours.request(request);
    const std::string what = fmt::format("{} {}", request.method, request.path);
    EXPECT_EQ(got.status, expected.status) << what << got;
    EXPECT_EQ(got.body, expected.body) << what;
    EXPECT_EQ(headers_of_application(got), headers_of_application(expected)) << what;
  }
}

TEST(AsgiSockets, AreAsUnderUvicorn) {
  for (const char* module : {"starlette", "websockets"}) {
    const std::string folder = std::string("/usr/lib/python3/dist-packages/") + module;
    if (access(folder.c_str(), R_OK) != 0) GTEST_SKIP() << "there is no " << folder;
  }
  const Httpd httpd(
      "WSGIDaemonProcess g interface=asgi\n"
      "WSGIScriptAlias / ${APPS}/async_sites/starlette_site.py callable-object=app "
      "process-group=g application-group=%{GLOBAL}\n");
  const Uvicorn uvicorn("starlette_site", httpd.root() + "/apps/async_sites");
  const auto talk = [](int port) {
    return run_command({"/usr/bin/python3", TEST_WEB_SOCKET_TALK, std::to_string(port)});
  };
  const CommandResult ours = talk(httpd.port());
  EXPECT_TRUE(ours.ok()) << ours;
  EXPECT_THAT(ours.output, HasSubstr("closed by it with 4001 as you like\n"));
  EXPECT_EQ(ours.output, talk(uvicorn.port()).output);
}

TEST_P(AsgiFrameworks, AreToldApartByThemselves) {
  for (const char* loop : {"loop=asyncio", "loop=uvloop"}) {
    const Httpd httpd(config(loop));
    EXPECT_EQ(httpd.get("/").body, "hello") << loop;
    EXPECT_EQ(httpd.get("/stream").body, "block 0\nblock 1\nblock 2\n") << loop;
  }
}

INSTANTIATE_TEST_SUITE_P(Debian, AsgiFrameworks,
                         testing::Values(Framework{"starlette_site", "starlette"},
                                         Framework{"fastapi_site", "fastapi"},
                                         Framework{"quart_site", "quart"},
                                         Framework{"django_site", "django"}),
                         [](const auto& each) { return std::string(each.param.module); });

}  // namespace
}  // namespace pyhost::test
