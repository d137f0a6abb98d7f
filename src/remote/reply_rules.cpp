#include "remote/reply_rules.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/parse.h"
#include "pyhost/gateway/response_rules.h"
#include "pyhost/gateway/sendable_file.h"

namespace pyhost::remote {
namespace {

// Its length is told apart from the headers.
base::Result<> check_sent(const gateway::Header& header) {
  if (base::equals_ignoring_case(header.name, "Content-Length")) {
    return base::fail(fmt::format("{} is among the headers", header.name));
  }
  return gateway::check_header(header.name, header.value);
}

base::Result<> check_texts(const gateway::ResponseHead& head) {
  if (gateway::has_control_character(head.reason)) {
    return base::fail(fmt::format("the worker sent a status with a control character: '{}'",
                                  gateway::excerpt_of(head.reason)));
  }
  for (const gateway::Header& header : head.headers) {
    if (const auto checked = check_sent(header); !checked) {
      return base::fail(
          fmt::format("the worker sent a malformed head: {}", checked.error().sentence));
    }
  }
  if (const auto checked = gateway::check_annotations(head.annotations); !checked) {
    return base::fail(fmt::format("the worker sent {}", checked.error().sentence));
  }
  return {};
}

}  // namespace

base::Result<> ReplyRules::begin(const gateway::ResponseHead& head) {
  if (head.status < gateway::kStatusMin || head.status > gateway::kStatusMax) {
    return base::fail(fmt::format("the worker sent a reply with status {}", head.status));
  }
  PH_TRY_VOID(check_texts(head));
  if (head.content_length.value_or(0) > gateway::kBodyBytesMax) {
    return base::fail(fmt::format("the worker sent a Content-Length of {}", *head.content_length));
  }
  remaining_ = head.content_length;
  bodiless_ = bodiless_ || gateway::forbids_body(head.status);
  return {};
}

// The answer to the client's key is httpd's own.
base::Result<> ReplyRules::begin_stream(const gateway::ResponseHead& head) {
  PH_TRY_VOID(check_texts(head));
  const bool answers_key = std::ranges::any_of(head.headers, [](const gateway::Header& header) {
    return base::equals_ignoring_case(header.name, "Sec-WebSocket-Accept");
  });
  if (answers_key || head.content_length) {
    return base::fail(fmt::format("the worker sent a {} with status 101",
                                  answers_key ? "Sec-WebSocket-Accept" : "Content-Length"));
  }
  return {};
}

std::uint64_t ReplyRules::admit(std::uint64_t bytes) noexcept {
  if (bodiless_) return 0;
  if (!remaining_) return bytes;
  exceeded_ = exceeded_ || bytes > *remaining_;
  const std::uint64_t admitted = std::min(bytes, *remaining_);
  *remaining_ -= admitted;
  return admitted;
}

base::Result<std::uint64_t> ReplyRules::admit_file(const gateway::FileRange& range) {
  if (++files_ > gateway::kReplyFilesMax) {
    return base::fail(fmt::format("the worker passed more than {} files", gateway::kReplyFilesMax));
  }
  if (const auto sendable = gateway::check_sendable(range); !sendable) {
    return base::fail(fmt::format("the worker passed {}", sendable.error().sentence));
  }
  return admit(range.length);
}

base::Result<> ReplyRules::end() const {
  if (bodiless_ || remaining_.value_or(0) == 0) return {};
  return base::fail(fmt::format(
      "the worker ended a reply that lacks {} bytes of its Content-Length", *remaining_));
}

}  // namespace pyhost::remote
