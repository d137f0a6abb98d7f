#include "engine/asgi_fixture.h"

#include <map>

namespace pyhost::test {

// They live as long as the process: loops end with the engine, behind all tests.
FakeChannels& source_of(gateway::ChannelLoop& loop) {
  static auto& sources = *new std::map<gateway::ChannelLoop*, FakeChannels>;
  FakeChannels& source = sources[&loop];
  if (!loop.serves()) loop.serve(source);
  return source;
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

}  // namespace pyhost::test
