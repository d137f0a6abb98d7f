#include "wsgi/reply_writer.h"

#include <algorithm>

#include "wsgi/kept_blocks.h"
#include "wsgi/response_rules.h"

namespace pyhost::wsgi {

using gateway::ReplyPart;
using gateway::SendResult;

void ReplyWriter::trim(std::span<const std::string_view> blocks) {
  trimmed_.clear();
  for (std::string_view block : blocks) {
    if (remaining_ && block.size() > *remaining_) {
      bytes_excess_ += block.size() - *remaining_;
      block = block.substr(0, *remaining_);
    }
    if (remaining_) *remaining_ -= block.size();
    if (!block.empty()) trimmed_.push_back(block);
  }
}

ReplyWriter::State ReplyWriter::send(StartedResponse& response,
                                     std::span<const std::string_view> blocks,
                                     ReplyPart::Then then) {
  if (state_ == State::stopped) return state_;
  gateway::ResponseHead head;
  ReplyPart part;
  if (state_ == State::unsent) {
    remaining_ = response.content_length();
    bodiless_ = exchange_.head().is_head || forbids_body(response.status());
    head = response.head();
    part.head = &head;
  }
  trim(blocks);
  if (then == ReplyPart::Then::end) body_complete_ = true;
  if (state_ == State::ended) return state_;

  // A length of 0 does not end the reply by itself: only a byte, or the application, does.
  if (remaining_ && *remaining_ == 0 && !trimmed_.empty()) then = ReplyPart::Then::end;
  if (then == ReplyPart::Then::end && remaining_ && !bodiless_) {
    bytes_owed_ = *remaining_;
    if (bytes_owed_ != 0) then = ReplyPart::Then::more;
  }
  part.blocks = trimmed_;
  part.then = then;
  return pass_on(part);
}

std::uint64_t ReplyWriter::room() const noexcept {
  if (state_ != State::open || bodiless_) return 0;
  return remaining_.value_or(KeptBlocks::kNoLimit);
}

ReplyWriter::State ReplyWriter::send_file(StartedResponse& response, gateway::FileRange range) {
  range.length = std::min(range.length, response.content_length().value_or(range.length));
  response.set_content_length(range.length);
  const gateway::ResponseHead head = response.head();
  body_complete_ = true;
  return pass_on({.head = &head, .blocks = {}, .file = &range, .then = ReplyPart::Then::end});
}

ReplyWriter::State ReplyWriter::pass_on(ReplyPart part) {
  const bool ends = part.then == ReplyPart::Then::end;
  if (ends) part.figures = before_end_();
  if (exchange_.send(part) != SendResult::sent) {
    state_ = State::stopped;
  } else {
    state_ = ends ? State::ended : State::open;
  }
  return state_;
}

}  // namespace pyhost::wsgi
