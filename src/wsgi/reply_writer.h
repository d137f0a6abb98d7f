// Sends one reply, and holds it to its Content-Length.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "pyhost/gateway/exchange.h"
#include "wsgi/started_response.h"

namespace pyhost::wsgi {

// Turns an application's blocks into the parts of an exchange: the head goes with the first one,
// bytes beyond Content-Length stay behind, and the byte that completes it ends the reply. One
// thread at a time; every function may block.
class ReplyWriter {
 public:
  // `before_end` is called when the part that ends the reply is about to leave, and says what the
  // run has cost: behind it, the exchange may belong to another request.
  ReplyWriter(gateway::Exchange& exchange, std::function<gateway::RunFigures()> before_end) noexcept
      : exchange_(exchange), before_end_(std::move(before_end)) {}

  enum class State {
    unsent,   // nothing has left
    open,     // the head has left, more is due
    ended,    // complete
    stopped,  // the client has gone, or httpd has answered itself
  };
  State state() const noexcept { return state_; }

  // Blocks of the body. PRECONDITION: `response` is set on every call before the head is sent.
  State send(StartedResponse& response, std::span<const std::string_view> blocks,
             gateway::ReplyPart::Then then);
  // The whole body is a range of a file; `range` is cut to Content-Length, and a larger
  // Content-Length to the range. PRECONDITION: state() is unsent.
  State send_file(StartedResponse& response, gateway::FileRange range);

  // False when what the application makes from here on is dropped. Behind the first send().
  bool wants_more() const noexcept { return !bodiless_ && bytes_excess_ == 0; }
  // How many bytes the body may still have; KeptBlocks::kNoLimit without Content-Length, 0 when the
  // client gets no more.
  std::uint64_t room() const noexcept;
  // Whether the application has made its whole body, so that the next two are final.
  bool body_complete() const noexcept { return body_complete_; }
  // Bytes that the application owes to its Content-Length; 0 when it owes none. Tells a short reply
  // after a part that should have ended it.
  std::uint64_t bytes_owed() const noexcept { return bytes_owed_; }
  // Bytes it produced beyond its Content-Length.
  std::uint64_t bytes_excess() const noexcept { return bytes_excess_; }

 private:
  void trim(std::span<const std::string_view> blocks);
  State pass_on(gateway::ReplyPart part);

  gateway::Exchange& exchange_;
  const std::function<gateway::RunFigures()> before_end_;
  State state_ = State::unsent;
  bool bodiless_ = false;                   // HEAD, 204, 304: the length promises nothing
  std::optional<std::uint64_t> remaining_;  // of Content-Length
  bool body_complete_ = false;
  std::uint64_t bytes_owed_ = 0;
  std::uint64_t bytes_excess_ = 0;
  std::vector<std::string_view> trimmed_;
};

}  // namespace pyhost::wsgi
