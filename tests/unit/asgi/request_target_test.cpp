#include "asgi/request_target.h"

#include <gtest/gtest.h>

namespace pyhost::asgi {
namespace {

TEST(RawPath, IsWhatStandsOnTheRequestLine) {
  constexpr std::pair<std::string_view, std::string_view> kPaths[] = {
      {"/", "/"},
      {"/a%20b/%2F?q=/x", "/a%20b/%2F"},
      {"//host/path", "//host/path"},
      {"/a://b", "/a://b"},
      {"http://host:80/a%2f?b", "/a%2f"},
      {"http://host", "/"},
      {"http://host?a/b", "/"},
      {"*", "*"},
      {"", ""}};
  for (const auto& [uri, path] : kPaths) EXPECT_EQ(raw_path_of(uri), path) << uri;
}

TEST(HttpVersion, IsNamedAsScopesNameIt) {
  EXPECT_EQ(http_version_of("HTTP/1.0"), "1.0");
  EXPECT_EQ(http_version_of("HTTP/0.9"), "1.0");
  EXPECT_EQ(http_version_of("HTTP/1.1"), "1.1");
  EXPECT_EQ(http_version_of("HTTP/2.0"), "2");
  EXPECT_EQ(http_version_of("INCLUDED"), "1.1");
}

}  // namespace
}  // namespace pyhost::asgi
