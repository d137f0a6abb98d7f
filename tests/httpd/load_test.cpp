// Many clients at once: no reply is lost, no reply is another's.

#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

std::string group_name(int number) {
  return "group" + std::to_string(number);
}

// The echo application at /0, /1, ..., each in an application group of its own.
std::string config_of_groups(int groups) {
  std::string config =
      "<IfModule mpm_prefork_module>\n  MaxConnectionsPerChild 0\n</IfModule>\n"
      "MaxKeepAliveRequests 0\n";
  for (int i = 0; i < groups; ++i) {
    config += "WSGIScriptAlias /" + std::to_string(i) +
              " ${APPS}/echo.wsgi application-group=" + group_name(i) + "\n";
  }
  return config;
}

// One request with an identity in its path, query, header and body.
bool is_answered(HttpClient& client, int group, const std::string& id) {
  // Most bodies are small; some are longer than what httpd and we buffer.
  const std::size_t repeats = id.ends_with('7') ? 5000 : 1;
  std::string body;
  for (std::size_t i = 0; i < repeats; ++i) body += id + ";";
  const Response reply = client.request({.method = "POST",
                                         .path = "/" + std::to_string(group) + "/" + id + "?" + id,
                                         .headers = {{"X-Id", id}},
                                         .body = body});
  if (reply.complete() && reply.status == 200 && reply.header("x-id") == id &&
      reply.body == group_name(group) + " /" + id + " " + id + " " + body) {
    return true;
  }
  ADD_FAILURE() << "request " << id << " to group " << group << ": " << reply;
  return false;
}

struct Load {
  int clients = 0;
  int requests = 0;  // of each client
  int groups = 0;
};

Load full_load() {
  // A child of prefork serves one connection, so there are as many children as clients, and each of
  // them makes all the interpreters.
  if (default_mpm() == Mpm::prefork) return {.clients = 12, .requests = 500, .groups = 8};
  return {.clients = 64, .requests = kSanitized ? 100 : 2000, .groups = 8};
}

TEST(Load, IsAnsweredWithoutALostOrMixedUpReply) {
  const Load load = full_load();
  const Httpd httpd(config_of_groups(load.groups), default_mpm() == Mpm::prefork
                                                       ? Options{.processes = load.clients}
                                                       : Options{.processes = 2, .threads = 40});
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < load.clients; ++i) {
      clients.emplace_back([&, i] {
        HttpClient client = httpd.client();
        for (int n = 0; n < load.requests; ++n) {
          const std::string id = std::to_string(i) + "-" + std::to_string(n);
          if (!is_answered(client, (i + n) % load.groups, id)) return;
          ++answered;
        }
      });
    }
  }
  EXPECT_EQ(answered, load.clients * load.requests);
}

TEST(Load, OfFirstRequestsMakesEachInterpreterOnce) {
  if (default_mpm() == Mpm::prefork) GTEST_SKIP() << "one request at a time in each child";
  constexpr int kGroups = 20;
  constexpr int kClientsOfEach = 3;
  const Httpd httpd(config_of_groups(kGroups), {.processes = 1, .threads = 64});
  std::latch together(kGroups * kClientsOfEach);
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> clients;
    for (int i = 0; i < kGroups * kClientsOfEach; ++i) {
      clients.emplace_back([&, i] {
        HttpClient client = httpd.client();
        together.arrive_and_wait();
        answered += is_answered(client, i % kGroups, std::to_string(i)) ? 1 : 0;
      });
    }
  }
  EXPECT_EQ(answered, kGroups * kClientsOfEach);
  EXPECT_EQ(count(httpd.log(), "PH0309"), std::size_t{kGroups} + 1);
  EXPECT_EQ(count(httpd.log(), "PH0308"), std::size_t{kGroups});
}

}  // namespace
}  // namespace pyhost::test
