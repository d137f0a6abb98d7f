// ASGI applications in the engine of engine_fixture.h, over channels that a test controls.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "engine/engine_fixture.h"
#include "harness/fake_channel.h"
#include "pyhost/gateway/channel_loops.h"

namespace pyhost::test {

using PlaceResult = tl::expected<gateway::ChannelLoop*, gateway::Outcome>;

// A script with an ASGI application, and what its requests come over.
class AsgiScript {
 public:
  explicit AsgiScript(std::string_view source, gateway::Protocol protocol = gateway::Protocol::asgi,
                      std::string application_group = "");

  gateway::Target target() const;
  Script& script() noexcept { return script_; }
  // What the placing has logged.
  const LogRecorder& log() const noexcept { return caller_.recorder(); }

  // Finds its loop, which serves a source of its own from then on.
  PlaceResult place();
  // One request to it, placed before.
  std::unique_ptr<FakeChannel> request(FakeChannel::Client client = {});

 private:
  Script script_;
  const gateway::Protocol protocol_;
  const std::string application_group_;
  FakeExchange caller_;
};

// A script that has `await reply(send, body=b'', status=200, headers=())`, a complete reply.
std::string with_reply(std::string_view source);

// What becomes of one request to an application whose body is these lines, and with_reply().
std::unique_ptr<FakeChannel> run_asgi(std::string_view source, FakeRequest request = {});

// What is notable of what the exchange has logged, a line a record.
std::string log_of(FakeChannel& channel);

// The source that a loop of this process serves.
FakeChannels& source_of(gateway::ChannelLoop& loop);

}  // namespace pyhost::test
