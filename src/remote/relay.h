// One attempt to have a request served over one connection.
#pragma once

#include <optional>
#include <string>

#include "pyhost/base/messages.h"
#include "pyhost/gateway/engine.h"
#include "remote/connection_pool.h"
#include "remote/request_body.h"

namespace pyhost::remote {

// How an attempt ended.
struct Attempt {
  enum class Kind {
    complete,     // the client has the reply
    client_gone,  // nobody waits for it any more
    refused,      // the worker asks for an answer with `status`; its own records say why
    broken,       // the worker cannot complete a reply that has begun; its own records say why
    again,        // the application has not been entered: another worker may
    lost,         // the worker has gone
    failed,       // anything else; answer with `status`
  };
  Kind kind = Kind::complete;
  int status = 0;
  base::Message message{};
  std::string why;
};

// Passes on what the worker sends as it comes; parts that came together leave together. Everything
// it is made with outlives it.
class Relay {
 public:
  Relay(Line& line, gateway::Exchange& exchange, RequestBody& body, wire::Timeout timeout) noexcept
      : line_(line), exchange_(exchange), body_(body), timeout_(timeout) {}

  Attempt run(const gateway::Target& target);

  // Whether the client has seen a part of the reply.
  bool head_sent() const noexcept { return head_sent_; }
  std::uint64_t body_bytes_sent() const noexcept { return body_bytes_sent_; }
  // Whether the connection may serve another exchange.
  bool reusable() const noexcept { return reusable_ && line_.connection.drained(); }

 private:
  using Step = std::optional<Attempt>;  // nothing: go on

  Step send_request(const gateway::Target& target);
  Step handle(const wire::Frame& frame);
  Step begin_reply(const wire::Frame& frame);
  Step take_file(const wire::Frame& frame);
  Step answer_need_body();
  Step pass_on(gateway::ReplyPart::Then then);
  Step end();
  Attempt end_with_error(const wire::Frame& frame);
  void log(const wire::Frame& frame);
  Attempt fail(wire::Io outcome);
  Attempt malformed(std::string what);
  bool pending() const noexcept { return head_ || !line_.blocks.empty() || file_.valid(); }

  Line& line_;
  gateway::Exchange& exchange_;
  RequestBody& body_;
  const wire::Timeout timeout_;
  std::optional<gateway::ResponseHead> head_;  // arrived and not passed on
  base::UniqueFd file_;
  gateway::FileRange range_;
  bool heard_ = false;
  bool head_seen_ = false;
  bool head_sent_ = false;
  bool reusable_ = false;
  std::uint64_t body_bytes_sent_ = 0;
};

}  // namespace pyhost::remote
