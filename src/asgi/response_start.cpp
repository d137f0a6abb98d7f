#include "asgi/response_start.h"

#include <fmt/format.h>

#include "base/parse.h"
#include "base/trimmed.h"
#include "pyhost/gateway/response_rules.h"

namespace pyhost::asgi {
namespace {

using base::equals_ignoring_case;

// The media type, without its parameters.
std::string_view media_type(std::string_view value) noexcept {
  return base::trimmed(value.substr(0, value.find(';')));
}

}  // namespace

Verdict ResponseStart::set_status(long long status) {
  if (status < gateway::kStatusMin || status > gateway::kStatusMax) {
    return wrong_value(fmt::format("the status of a reply must be from {} to {}, not {}",
                                   gateway::kStatusMin, gateway::kStatusMax, status));
  }
  status_ = static_cast<int>(status);
  return std::nullopt;
}

void ResponseStart::drop(std::string_view name, std::string_view value) {
  if (equals_ignoring_case(name, "Transfer-Encoding")) return;
  if (equals_ignoring_case(name, "Connection")) {
    closes_connection_ = closes_connection_ || equals_ignoring_case(base::trimmed(value), "close");
  }
  if (dropped_header_.empty()) {
    dropped_header_ = fmt::format("{}: {}", name, gateway::excerpt_of(value));
  }
}

Verdict ResponseStart::add_header(std::string_view name, std::string_view value) {
  if (const auto checked = gateway::check_header_text(name, value); !checked) {
    return wrong_value(checked.error().sentence);
  }
  if (gateway::is_hop_by_hop(name)) {
    drop(name, value);
    return std::nullopt;
  }
  if (equals_ignoring_case(name, "Content-Length")) {
    const auto length = gateway::parse_content_length(value);
    if (!length) return wrong_value(length.error().sentence);
    if (content_length_) return wrong_value("the reply has two Content-Length headers");
    content_length_ = *length;
    return std::nullopt;
  }
  if (equals_ignoring_case(name, "Content-Type")) {
    is_event_stream_ = equals_ignoring_case(media_type(value), "text/event-stream");
  }
  const std::size_t begin = texts_.size();
  texts_.append(name).append(value);
  spans_.push_back({begin, begin + name.size(), texts_.size()});
  return std::nullopt;
}

// RFC 9110, 8.6: a 204 must have none; that of a 304 is about another reply.
std::optional<std::uint64_t> ResponseStart::content_length() const noexcept {
  constexpr int kNoContent = 204;
  return status_ == kNoContent ? std::nullopt : content_length_;
}

gateway::ResponseHead ResponseStart::head() {
  headers_.clear();
  for (const Span& span : spans_) {
    headers_.push_back({text(span.name, span.value), text(span.value, span.end)});
  }
  return {.status = status_,
          .reason = {},
          .headers = headers_,
          .content_length = content_length(),
          .closes_connection = closes_connection_,
          .annotations = annotations_};
}

}  // namespace pyhost::asgi
