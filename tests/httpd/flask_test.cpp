// A Flask application.

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

using nlohmann::json;

constexpr char kConfig[] =
    "WSGIPythonPath ${APPS}/flask_site\n"
    "WSGIScriptAlias /at ${APPS}/flask_site/flask_site.wsgi\n";

json json_of(const Response& reply) {
  EXPECT_EQ(reply.header("content-type"), "application/json");
  return json::parse(reply.body, nullptr, false);
}

// Where its database is, unless it is told otherwise.
TEST(FlaskSite, HasItsInstanceFolderBesideTheScript) {
  const Httpd httpd(kConfig);
  EXPECT_EQ(httpd.get("/at/instance").body, httpd.app("flask_site/instance"));
}

TEST(FlaskSite, RoutesByConverters) {
  const Httpd httpd(kConfig);
  EXPECT_EQ(httpd.get("/at/float/2.5").body, "1.25");
  EXPECT_EQ(httpd.get("/at/float/two").status, 404);
  EXPECT_EQ(httpd.request({.method = "DELETE", .path = "/at/float/2.5"}).status, 405);
}

TEST(FlaskSite, TakesAndGivesJsonInABlueprint) {
  const Httpd httpd(kConfig);
  EXPECT_EQ(json_of(httpd.get("/at/shop/items/7")),
            json({{"number", 7}, {"url", "/at/shop/items/7"}}));
  const Request order{.method = "POST",
                      .path = "/at/shop/orders",
                      .headers = {{"Content-Type", "application/json"}},
                      .body = R"({"items": ["tea", "Käse", 3]})"};
  const Response reply = httpd.request(order);
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(json_of(reply), json({{"ordered", {3, "Käse", "tea"}}}));
}

TEST(FlaskSite, HandlesItsOwnErrors) {
  const Httpd httpd(kConfig);
  const Response missing = httpd.get("/at/nowhere");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(json_of(missing), json({{"nothing_at", "/nowhere"}}));
  const Response failed = httpd.get("/at/fail");
  EXPECT_EQ(failed.status, 503);
  EXPECT_EQ(json_of(failed), json({{"error", "the view failed"}}));
}

TEST(FlaskSite, KeepsASessionInACookie) {
  const Httpd httpd(kConfig);
  HttpClient browser = httpd.client();
  browser.keep_cookies();
  for (const char* visits : {"1", "2", "3"}) EXPECT_EQ(browser.get("/at/count").body, visits);
  EXPECT_EQ(httpd.get("/at/count").body, "1");
}

TEST(FlaskSite, RedirectsBelowItsMountPoint) {
  const Httpd httpd(kConfig);
  const Response reply = httpd.get("/at/old");
  EXPECT_EQ(reply.status, 302);
  EXPECT_EQ(reply.header("location"), "/at/float/3.0");
}

TEST(FlaskSite, StreamsInTheContextOfItsRequest) {
  const Httpd httpd(kConfig);
  const Response reply = httpd.get("/at/stream?name=Ada");
  std::string all;
  for (int i = 0; i < 100; ++i) all += "Ada " + std::to_string(i) + "\n";
  EXPECT_EQ(reply.body, all);
}

TEST(FlaskSite, RunsItsHooksInOrder) {
  const Httpd httpd(kConfig, {.processes = 1});
  HttpClient client = httpd.client();
  EXPECT_EQ(client.get("/at/hooks").body, "done");
  EXPECT_EQ(client.get("/at/steps").body, "before view after teardown");
}

TEST(FlaskSite, TakesAnyScriptInPathAndQuery) {
  const Httpd httpd(kConfig);
  const Response reply =
      httpd.get("/at/tree/gr%C3%B6%C3%9Fe/%E6%BC%A2%20%F0%9F%8D%B5?name=%D0%AF%26%3D");
  EXPECT_EQ(json_of(reply), json({{"path", "größe/漢 🍵"},
                                  {"name", "Я&="},
                                  {"url",
                                   "/at/tree/gr%C3%B6%C3%9Fe/%E6%BC%A2%20"
                                   "%F0%9F%8D%B5"}}));
}

}  // namespace
}  // namespace pyhost::test
