#include "harness/fake_engine.h"

namespace pyhost::test {

using gateway::Outcome;
using gateway::ReplyPart;

Outcome FakeEngine::run(const gateway::Target& target, gateway::Exchange& exchange) noexcept {
  ++runs_;
  const auto found = applications_.find(target.script);
  if (found == applications_.end()) return {Outcome::Kind::refused, 404};
  return found->second(target, exchange);
}

gateway::AskResult FakeEngine::ask(const gateway::Target& target, const gateway::Question& question,
                                   gateway::Caller& caller) noexcept {
  ++runs_;
  const auto found = hooks_.find(target.script);
  if (found == hooks_.end()) return gateway::Answer{};
  return found->second(question, caller);
}

Outcome reply(gateway::Exchange& exchange, std::string_view body) {
  const gateway::Header type{"Content-Type", "text/plain"};
  const gateway::ResponseHead head{
      .status = 200, .reason = "OK", .headers = {&type, 1}, .content_length = body.size()};
  exchange.send({.head = &head, .blocks = {&body, 1}, .then = ReplyPart::Then::end});
  return {};
}

WholeBody read_whole_body(gateway::Exchange& exchange, std::size_t piece_bytes) {
  WholeBody body;
  std::string piece(piece_bytes, '\0');
  while (true) {
    const gateway::BodyRead read = exchange.read_body(piece);
    body.fault = read.fault;
    if (read.bytes == 0) return body;
    body.bytes.append(piece, 0, read.bytes);
  }
}

std::string environ_value(const gateway::Exchange& exchange, std::string_view name) {
  std::string value;
  for (const gateway::EnvironEntry& entry : exchange.head().environ) {
    const bool known = entry.key != gateway::EnvironKey::other;
    if ((known ? gateway::name_of(entry.key) : entry.name) == name) value = entry.value;
  }
  return value;
}

}  // namespace pyhost::test
