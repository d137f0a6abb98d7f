#include "asgi/web_socket_offer.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace pyhost::asgi {
namespace {

using gateway::EnvironEntry;
using gateway::EnvironKey;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> subprotocols(std::string_view value) {
  const EnvironEntry entries[] = {{EnvironKey::request_method, {}, "GET"},
                                  {EnvironKey::other, "HTTP_SEC_WEBSOCKET_PROTOCOL", value}};
  const auto names = subprotocols_of({.environ = entries});
  return {names.begin(), names.end()};
}

TEST(WebSocketOffer, HasTheSubprotocolsOfAllLines) {
  EXPECT_THAT(subprotocols("chat"), ElementsAre("chat"));
  EXPECT_THAT(subprotocols("v2.chat,v1.chat"), ElementsAre("v2.chat", "v1.chat"));
  EXPECT_THAT(subprotocols("  a ,\t, b,"), ElementsAre("a", "b"));
  EXPECT_THAT(subprotocols("\xe9"), ElementsAre("\xe9"));
  EXPECT_THAT(subprotocols(""), IsEmpty());
  EXPECT_THAT(subprotocols(" , "), IsEmpty());
  EXPECT_THAT(subprotocols_of({}), IsEmpty());
}

TEST(WebSocketOffer, HasTheExtensionsOfItsLastEntry) {
  const EnvironEntry entries[] = {
      {EnvironKey::other, "HTTP_SEC_WEBSOCKET_EXTENSIONS", "first"},
      {EnvironKey::other, "HTTP_SEC_WEBSOCKET_EXTENSIONS", "permessage-deflate"}};
  EXPECT_EQ(extensions_offered({.environ = entries}), "permessage-deflate");
  EXPECT_EQ(extensions_offered({}), "");
}

}  // namespace
}  // namespace pyhost::asgi
