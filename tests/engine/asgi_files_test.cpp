// Files that ASGI applications have httpd send (ASGI Extensions, "Path Send", "Zero Copy Send").

#include <gmock/gmock.h>

#include "engine/asgi_fixture.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;
using ::testing::HasSubstr;
using Then = gateway::ReplyPart::Then;

constexpr std::string_view kData = R"(
import os
DATA = os.path.join(os.path.dirname(__file__), 'data')
with open(DATA, 'wb') as file:
    file.write(b'0123456789' * 10)

async def start(send, **more):
    await send({'type': 'http.response.start', 'status': 200, **more})
)";

// What becomes of one request to an application with these lines.
std::unique_ptr<FakeChannel> run_with_data(std::string_view source, FakeRequest request = {}) {
  static auto& scripts = *new std::vector<std::unique_ptr<AsgiScript>>;
  scripts.push_back(
      std::make_unique<AsgiScript>(with_reply(std::string(kData) + std::string(source))));
  auto channel = scripts.back()->request({.request = std::move(request)});
  channel->outcome();
  return channel;
}

TEST(AsgiPathSend, SendsAWholeFileWithItsHead) {
  const auto channel = run_with_data(R"(
async def application(scope, receive, send):
    assert scope['extensions']['http.response.pathsend'] == {}
    await start(send, headers=[(b'content-length', b'100')])
    await send({'type': 'http.response.pathsend', 'path': DATA})
)");
  FakeExchange& exchange = channel->exchange();
  EXPECT_EQ(log_of(*channel), "");
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
  ASSERT_EQ(exchange.parts().size(), 1u);
  EXPECT_TRUE(exchange.parts()[0].had_head);
  EXPECT_EQ(exchange.parts()[0].file.value_or("").size(), 100u);
  EXPECT_EQ(exchange.parts()[0].then, Then::end);
}

TEST(AsgiPathSend, SendsNothingOfTheFileToHead) {
  const auto channel = run_with_data(R"(
async def application(scope, receive, send):
    await start(send, headers=[(b'content-length', b'7')])
    await send({'type': 'http.response.pathsend', 'path': DATA})
)",
                                     {.is_head = true});
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(channel->exchange().body(), "");
}

struct Refused {
  const char* event;
  const char* said;
};

class AsgiFileRefusal : public testing::TestWithParam<Refused> {};

TEST_P(AsgiFileRefusal, IsRaisedOutOfSend) {
  const auto channel = run_with_data(std::string(R"(
async def application(scope, receive, send):
    await start(send, headers=[(b'content-length', b'5')])
    event = )") + GetParam().event + R"(
    try:
        await send(event)
    except Exception as error:
        text = f'{type(error).__name__}: {error}'.encode()
    await send({'type': 'http.response.body', 'body': b'still'})
    print(text.decode())
)");
  EXPECT_EQ(channel->exchange().body(), "still");
  EXPECT_THAT(log_of(*channel), HasSubstr(GetParam().said));
}

INSTANTIATE_TEST_SUITE_P(
    Table, AsgiFileRefusal,
    testing::Values(
        Refused{"{'type': 'http.response.pathsend', 'path': '/nowhere'}",
                "FileNotFoundError: [Errno 2] No such file or directory: '/nowhere'"},
        Refused{"{'type': 'http.response.pathsend'}",
                "ValueError: http.response.pathsend needs a 'path'"},
        Refused{"{'type': 'http.response.pathsend', 'path': 'data'}",
                "ValueError: http.response.pathsend needs an absolute path"},
        Refused{"{'type': 'http.response.pathsend', 'path': '/dev/null'}",
                "ValueError: http.response.pathsend needs a regular file"},
        Refused{"{'type': 'http.response.pathsend', 'path': DATA}",
                "RuntimeError: the file of http.response.pathsend has 100 bytes, and the reply's "
                "Content-Length says 5"},
        Refused{"{'type': 'http.response.zerocopysend'}",
                "ValueError: http.response.zerocopysend needs a 'file'"},
        Refused{"{'type': 'http.response.zerocopysend', 'file': 'name'}", "TypeError: "},
        Refused{"{'type': 'http.response.zerocopysend', 'file': os.pipe()[0], 'offset': 0}",
                "ValueError: http.response.zerocopysend needs a regular file"},
        Refused{"{'type': 'http.response.zerocopysend', 'file': open(DATA, 'rb'), 'count': -1}",
                "ValueError: the 'count' of http.response.zerocopysend must be"}));

TEST(AsgiPathSend, OfWhatIsNotThereIs500) {
  const auto channel = run_with_data(R"(
async def application(scope, receive, send):
    await start(send)
    await send({'type': 'http.response.pathsend', 'path': '/nowhere'})
)");
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::refused);
  EXPECT_EQ(channel->outcome().status, 500);
  EXPECT_THAT(log_of(*channel), HasSubstr("FileNotFoundError"));
}

TEST(AsgiZeroCopySend, SendsRangesAmongOtherPieces) {
  const auto channel = run_with_data(R"(
async def application(scope, receive, send):
    assert scope['extensions']['http.response.zerocopysend'] == {}
    piece = {'type': 'http.response.zerocopysend', 'more_body': True}
    await start(send)
    with open(DATA, 'rb') as file:
        file.read(93)
        await send({**piece, 'file': file})
        assert file.tell() == 93
        await send({**piece, 'file': file.fileno(), 'offset': 2, 'count': 3})
    await send({'type': 'http.response.body', 'body': b'-', 'more_body': True})
    with open(DATA, 'rb') as file:
        await send({**piece, 'file': file, 'offset': 1000})
        await send({**piece, 'file': file, 'count': 2, 'more_body': False})
)");
  EXPECT_EQ(log_of(*channel), "");
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(channel->exchange().body(), "3456789234-01");
}

TEST(AsgiZeroCopySend, ReadsTheFilesThatAreTooManyForHttpd) {
  const auto channel = run_with_data(R"(
async def application(scope, receive, send):
    await start(send, headers=[(b'content-length', b'2000')])
    with open(DATA, 'rb') as file:
        for i in range(20):
            await send({'type': 'http.response.zerocopysend', 'file': file, 'more_body': i < 19})
)");
  std::size_t files = 0;
  for (const SentPart& part : channel->exchange().parts()) files += part.file ? 1 : 0;
  EXPECT_EQ(log_of(*channel), "");
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(channel->exchange().body().size(), 2000u);
  EXPECT_EQ(files, 8u);
}

TEST(AsgiZeroCopySend, WaitsForRoomBetweenThePiecesOfAFile) {
  AsgiScript script(with_reply(std::string(kData) + R"(
async def application(scope, receive, send):
    with open(DATA, 'wb') as file:
        file.write(b'x' * 300_000)
    await start(send)
    with open(DATA, 'rb') as file:
        for i in range(8):
            await send({'type': 'http.response.zerocopysend', 'file': file, 'count': 1, 'more_body': True})
        await send({'type': 'http.response.zerocopysend', 'file': file})
)"));
  const auto channel = script.request({.takes = false});
  channel->wait_for_parts(1);
  channel->take_all();
  EXPECT_EQ(channel->outcome().kind, Outcome::Kind::complete);
  EXPECT_EQ(channel->exchange().body().size(), 300'008u);
}

}  // namespace
}  // namespace pyhost::test
