// Trailers of ASGI replies.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "engine/asgi_fixture.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;
using ::testing::HasSubstr;

TEST(AsgiTrailers, AreSentWhereTheClientTakesThem) {
  const auto channel =
      run_asgi(R"(
async def application(scope, receive, send):
    assert scope['extensions']['http.response.trailers'] == {}
    await send({'type': 'http.response.start', 'status': 200, 'trailers': True})
    await send({'type': 'http.response.body', 'body': b'body'})
    await send({'type': 'http.response.trailers', 'headers': [(b'x-sum', b'1')],
                'more_trailers': True})
    await send({'type': 'http.response.trailers', 'headers': [(b'x-end', b'2')]})
)",
               {.environ = {{"SERVER_PROTOCOL", "HTTP/2.0"}, {"HTTP_TE", "Trailers"}}});
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(channel->exchange().body(), "body");
  EXPECT_EQ(channel->exchange().trailers(), "x-sum: 1\nx-end: 2\n");
}

TEST(AsgiTrailers, AreRefusedWhereTheyAreNone) {
  constexpr std::string_view kTrailers[] = {"(b'content-length', b'3')", "(b'x', b'a\\nb')",
                                            "(b'set-cookie', b'a=b')", "(b'x y', b'')", "'x'"};
  for (const std::string_view trailer : kTrailers) {
    const auto channel = run_asgi(fmt::format(R"(
async def application(scope, receive, send):
    await send({{'type': 'http.response.start', 'status': 200, 'trailers': True}})
    await send({{'type': 'http.response.body', 'body': b'body '}})
    try:
        await send({{'type': 'http.response.trailers', 'headers': [{}]}})
    except (TypeError, ValueError) as error:
        print('refused')
    await send({{'type': 'http.response.trailers', 'headers': []}})
)",
                                              trailer));
    EXPECT_THAT(log_of(*channel), HasSubstr("refused")) << trailer;
    EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete) << trailer;
    EXPECT_EQ(channel->exchange().trailers(), "") << trailer;
  }
}

}  // namespace
}  // namespace pyhost::test
