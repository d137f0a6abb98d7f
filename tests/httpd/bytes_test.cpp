// Bytes of any value, wherever a client can put them.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <random>

#include "harness/httpd.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kConfig[] = R"(
WSGIScriptAlias / ${APPS}/bytes.wsgi
WSGIPassAuthorization On
AllowEncodedSlashes NoDecode
)";

std::string hex(std::string_view bytes) {
  std::string text;
  for (const unsigned char byte : bytes) text += fmt::format("{:02x}", byte);
  return text;
}

// A request with these bytes, its connection closed afterwards.
std::string exchange(const Httpd& httpd, const std::string& target, const std::string& headers) {
  RawConnection connection = httpd.connect();
  connection.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" +
                  headers + "\r\n");
  return connection.read_all();
}

TEST(Bytes, OfEveryValueReachTheApplicationAsTheyWereSent) {
  const Httpd httpd(kConfig);
  for (int value = 1; value < 256; ++value) {
    const std::string byte(1, static_cast<char>(value));
    if (byte == "/") continue;  // stays encoded
    EXPECT_THAT(exchange(httpd, fmt::format("/x%{:02x}y", value), ""),
                HasSubstr("\r\n\r\n" + hex("/x" + byte + "y")))
        << value;
  }
  std::string high;
  for (int value = 0x80; value < 256; ++value) high += static_cast<char>(value);
  EXPECT_THAT(exchange(httpd, "/?" + std::string("%ff"),
                       "X-Test: " + high + "\r\nCookie: " + high + "\r\nAuthorization: Basic " +
                           high + "\r\n"),
              EndsWith(fmt::format("{} {} {} {} {}", hex("/"), hex("%ff"), hex(high), hex(high),
                                   hex("Basic " + high))));
}

constexpr char kLargeHeads[] =
    "LimitRequestLine 30000000\n"
    "LimitRequestFieldSize 30000000\n"
    "WSGIScriptAlias / ${APPS}/echo.wsgi\n";

// That of the first line of what came back.
std::string status_line(const std::string& reply) {
  return reply.substr(0, reply.find('\r'));
}

TEST(RequestHead, ThatHttpdAcceptsReachesTheApplication) {
  const Httpd httpd(kLargeHeads);
  for (const std::size_t bytes : {400'000, 900'000, 3'000'000}) {
    const std::string query(bytes, '~');
    EXPECT_EQ(count(exchange(httpd, "/?" + query, ""), "~"), bytes);
    EXPECT_EQ(status_line(exchange(httpd, "/", "X-Large: " + query + "\r\n")), "HTTP/1.1 200 OK")
        << bytes;
  }
}

TEST(RequestHead, BeyondThatIsTheClientsFault) {
  const Httpd httpd(kLargeHeads);
  const std::string large(17'000'000, 'x');
  const bool passed_on = default_place() == Place::daemon;
  EXPECT_EQ(status_line(exchange(httpd, "/?" + large, "")),
            passed_on ? "HTTP/1.1 414 Request-URI Too Long" : "HTTP/1.1 200 OK");
  EXPECT_EQ(status_line(exchange(httpd, "/", "X-Large: " + large + "\r\n")),
            passed_on ? "HTTP/1.1 431 Request Header Fields Too Large" : "HTTP/1.1 200 OK");
  EXPECT_EQ(status_line(exchange(httpd, "/?small", "")), "HTTP/1.1 200 OK");
}

TEST(Bytes, AtRandomAreNeverTheServersFault) {
  const Httpd httpd(kConfig);
  std::mt19937 random(20);
  const auto bytes = [&](std::size_t count, std::string_view never) {
    std::string text;
    while (text.size() < count) {
      const char byte = static_cast<char>(random());
      if (never.find(byte) == never.npos) text += byte;
    }
    return text;
  };
  const std::string_view line_ends("\r\n\0", 3);
  for (int i = 0; i < 300; ++i) {
    const std::string target = "/" + bytes(random() % 40, "\r\n \t") + "?" + bytes(8, "\r\n \t");
    const std::string headers = "X-Test: " + bytes(random() % 60, line_ends) +
                                "\r\nAuthorization: Basic " + bytes(12, line_ends) + "\r\n" +
                                bytes(random() % 6, line_ends) + ": x\r\n";
    const std::string reply = exchange(httpd, target, headers);
    EXPECT_THAT(reply, testing::AnyOf(StartsWith("HTTP/1.1 200"), StartsWith("HTTP/1.1 40")))
        << hex(target) << " " << hex(headers);
  }
  EXPECT_EQ(httpd.get("/after").status, 200);
}

}  // namespace
}  // namespace pyhost::test
