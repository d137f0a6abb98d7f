#include "engine/asgi_fixture.h"

#include <map>
#include <utility>
#include <vector>

namespace pyhost::test {

// They live as long as the process: loops end with the engine, behind all tests.
FakeChannels& source_of(gateway::ChannelLoop& loop) {
  static auto& sources = *new std::map<gateway::ChannelLoop*, FakeChannels>;
  FakeChannels& source = sources[&loop];
  if (!loop.serves()) loop.serve(source);
  return source;
}

std::string with_reply(std::string_view source) {
  constexpr std::string_view kReply = R"(
async def reply(send, body=b'', status=200, headers=()):
    await send({'type': 'http.response.start', 'status': status, 'headers': headers})
    await send({'type': 'http.response.body', 'body': body})
)";
  return std::string(kReply) + std::string(source);
}

std::string log_of(FakeChannel& channel) {
  std::string text;
  for (const LogRecord& record : channel.exchange().recorder().records()) {
    if (is_notable(record)) text += record.text + '\n';
  }
  return text;
}

AsgiScript::AsgiScript(std::string_view source, gateway::Protocol protocol,
                       std::string application_group)
    : script_(source), protocol_(protocol), application_group_(std::move(application_group)) {}

gateway::Target AsgiScript::target() const {
  return {.application_group = application_group_, .script = script_.path(), .protocol = protocol_};
}

PlaceResult AsgiScript::place() {
  return engine().loops()->place(target(), caller_);
}

std::unique_ptr<FakeChannel> AsgiScript::request(FakeChannel::Client client) {
  const PlaceResult placed = place();
  if (!placed || *placed == nullptr) {
    ADD_FAILURE() << "the application has no place: " << log().text();
    abort();
  }
  return std::make_unique<FakeChannel>(source_of(**placed), target(), std::move(client));
}

std::unique_ptr<FakeChannel> run_asgi(std::string_view source, FakeRequest request) {
  static auto& scripts = *new std::vector<std::unique_ptr<AsgiScript>>;
  scripts.push_back(std::make_unique<AsgiScript>(with_reply(source)));
  auto channel = scripts.back()->request({.request = std::move(request)});
  channel->outcome();
  return channel;
}

}  // namespace pyhost::test
