// A graceful restart under applications that are in use.

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>
#include <vector>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

namespace fs = std::filesystem;

constexpr char kConfig[] =
    "WSGIScriptAlias /shop ${APPS}/farewell.wsgi application-group=shop\n"
    "WSGIScriptAlias /blog ${APPS}/farewell.wsgi application-group=blog\n"
    "PassEnv FAREWELLS\n";

// Whose farewells are in the folder: the application groups.
std::set<std::string> farewells_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

TEST(GracefulRestart, LetsEveryApplicationSayFarewell) {
  const TempDir folder;
  const std::string farewells = folder.make_writable("farewells");
  Httpd httpd(kConfig, {.processes = 1, .environment = {{"FAREWELLS", farewells}}});
  HttpClient client = httpd.client();
  const std::string pid = client.get("/shop").body;
  EXPECT_EQ(client.get("/blog").body, pid);
  EXPECT_EQ(farewells_in(farewells), std::set<std::string>());

  httpd.graceful();
  EXPECT_EQ(farewells_in(farewells), (std::set<std::string>{"blog", "shop"}));
  EXPECT_EQ(read_file(farewells + "/shop"), pid + "\n");
  EXPECT_EQ(read_file(farewells + "/blog"), pid + "\n");
  const Response after = httpd.get("/shop");
  EXPECT_EQ(after.status, 200);
  EXPECT_NE(after.body, pid);
}

TEST(GracefulRestart, LosesNoRequest) {
  constexpr int kClients = 4;
  constexpr int kRestarts = 4;
  const TempDir folder;
  Httpd httpd(kConfig, {.environment = {{"FAREWELLS", folder.make_writable("farewells")}}});
  std::atomic<bool> enough = false;
  std::atomic<int> answered = 0;
  std::vector<std::jthread> clients;
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&, path = i % 2 == 0 ? "/shop" : "/blog"] {
      while (!enough) {
        const Response reply = httpd.get(path);
        EXPECT_EQ(reply.status, 200) << reply;
        ++answered;
      }
    });
  }
  for (int i = 0; i < kRestarts; ++i) {
    const int before = answered;
    EXPECT_TRUE(wait_until([&] { return answered > before + kClients; }));
    httpd.graceful();
  }
  enough = true;
}

}  // namespace
}  // namespace pyhost::test
