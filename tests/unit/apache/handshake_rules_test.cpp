#include "apache/websocket/handshake_rules.h"

#include <gtest/gtest.h>

namespace pyhost::apache {
namespace {

using gateway::WebSocketOffer;

constexpr char kKey[] = "dGhlIHNhbXBsZSBub25jZQ==";

HandshakeFields usual() {
  return {.is_get = true,
          .upgrade = "websocket",
          .connection = "Upgrade",
          .version = "13",
          .key = kKey};
}

struct Case {
  const char* name;
  void (*change)(HandshakeFields& fields);
  WebSocketOffer offer;
};

class Handshake : public testing::TestWithParam<Case> {};

TEST_P(Handshake, IsToldFromOtherRequests) {
  HandshakeFields fields = usual();
  GetParam().change(fields);
  EXPECT_EQ(offer_of(fields), GetParam().offer);
}

using F = HandshakeFields;
INSTANTIATE_TEST_SUITE_P(
    All, Handshake,
    testing::Values(
        Case{"usual", [](F&) {}, WebSocketOffer::valid},
        Case{"letter case", [](F& f) { f.upgrade = "WebSocket", f.connection = "upgrade"; },
             WebSocketOffer::valid},
        Case{"as Firefox has it", [](F& f) { f.connection = "keep-alive, Upgrade"; },
             WebSocketOffer::valid},
        Case{"blanks", [](F& f) { f.connection = "a,\t Upgrade ,b", f.version = " 13 "; },
             WebSocketOffer::valid},
        Case{"several protocols", [](F& f) { f.upgrade = "foo/2, websocket"; },
             WebSocketOffer::valid},
        Case{"other protocol", [](F& f) { f.upgrade = "h2c"; }, WebSocketOffer::none},
        Case{"part of a word", [](F& f) { f.upgrade = "websockets"; }, WebSocketOffer::none},
        Case{"no Upgrade", [](F& f) { f.upgrade = ""; }, WebSocketOffer::none},
        Case{"no Connection", [](F& f) { f.connection = ""; }, WebSocketOffer::none},
        Case{"Connection: close", [](F& f) { f.connection = "close"; }, WebSocketOffer::none},
        Case{"POST", [](F& f) { f.is_get = false; }, WebSocketOffer::none},
        Case{"HTTP/1.0", [](F& f) { f.is_http_1_0 = true; }, WebSocketOffer::malformed},
        Case{"old version", [](F& f) { f.version = "8"; }, WebSocketOffer::other_version},
        Case{"several versions", [](F& f) { f.version = "13, 8"; }, WebSocketOffer::other_version},
        Case{"no version", [](F& f) { f.version = ""; }, WebSocketOffer::other_version},
        Case{"old version with its own key", [](F& f) { f.version = "8", f.key = "x"; },
             WebSocketOffer::other_version},
        Case{"no key", [](F& f) { f.key = ""; }, WebSocketOffer::malformed},
        Case{"short key", [](F& f) { f.key = "dGhlIHNhbXBsZQ=="; }, WebSocketOffer::malformed},
        Case{"17 bytes", [](F& f) { f.key = "dGhlIHNhbXBsZSBub25jZXg="; },
             WebSocketOffer::malformed},
        Case{"bits too many", [](F& f) { f.key = "dGhlIHNhbXBsZSBub25jZR=="; },
             WebSocketOffer::malformed},
        Case{"no base64", [](F& f) { f.key = "dGhlIHNhbXBsZSBub25jZ-=="; },
             WebSocketOffer::malformed},
        Case{"body", [](F& f) { f.has_body = true; }, WebSocketOffer::malformed}),
    [](const auto& info) {
      std::string name = info.param.name;
      for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
      return name;
    });

}  // namespace
}  // namespace pyhost::apache
