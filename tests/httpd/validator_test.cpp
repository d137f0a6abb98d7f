// wsgiref's validator between an application and us: it raises on every step off PEP 3333, and the
// audit of the error log finds what it can only print.

#include <gmock/gmock.h>

#include "harness/httpd.h"

namespace pyhost::test {
namespace {

constexpr char kConfig[] = "WSGIScriptAlias /app ${APPS}/validated.wsgi\n";

TEST(Validator, AcceptsGetAndHead) {
  const Httpd httpd(kConfig);
  for (const Protocol protocol : {Protocol::http10, Protocol::http11}) {
    const Response reply = httpd.request({.path = "/app?a=b", .protocol = protocol});
    EXPECT_EQ(reply.status, 200) << reply;
    EXPECT_EQ(reply.body, "hello");
    EXPECT_EQ(httpd.request({.method = "HEAD", .path = "/app", .protocol = protocol}).status, 200);
  }
}

TEST(Validator, AcceptsEveryWayToReadABody) {
  const Httpd httpd(kConfig);
  const std::pair<const char*, const char*> expectations[] = {
      {"read", "one\ntwo\nthree"},
      {"readline", "one\n|two\n|three"},
      {"readlines", "one\n|two\n|three"},
      {"iteration", "one\n|two\n|three"},
  };
  for (const auto& [way, seen] : expectations) {
    for (const bool chunked : {false, true}) {
      const Response reply = httpd.request({.method = "POST",
                                            .path = "/app/" + std::string(way),
                                            .headers = {{"Content-Type", "text/plain"}},
                                            .body = "one\ntwo\nthree",
                                            .chunked = chunked});
      EXPECT_EQ(reply.status, 200) << reply;
      EXPECT_EQ(reply.body, seen);
    }
  }
}

TEST(Validator, AcceptsFileLikeResultsAndWrite) {
  const Httpd httpd(kConfig);
  EXPECT_EQ(httpd.get("/app/file").body, "a file-like result");
  EXPECT_EQ(httpd.get("/app/write").body, "written, returned");
}

}  // namespace
}  // namespace pyhost::test
