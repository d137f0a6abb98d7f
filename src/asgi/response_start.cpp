#include "asgi/response_start.h"

#include <fmt/format.h>

#include "base/parse.h"
#include "base/trimmed.h"
#include "pyhost/gateway/http_status.h"
#include "pyhost/gateway/response_rules.h"

namespace pyhost::asgi {
namespace {

using base::equals_ignoring_case;

// The media type, without its parameters.
std::string_view media_type(std::string_view value) noexcept {
  return base::trimmed(value.substr(0, value.find(';')));
}

// Headers of the handshake itself (RFC 6455, 4.2.2).
bool is_of_handshake(std::string_view name) noexcept {
  constexpr std::string_view kPrefix = "Sec-WebSocket-";
  return equals_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

}  // namespace

ResponseStart ResponseStart::of_accept() {
  ResponseStart start;
  start.status_ = gateway::kSwitchingProtocols;
  return start;
}

bool ResponseStart::accepts() const noexcept {
  return status_ == gateway::kSwitchingProtocols;
}

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
  if (accepts() && (gateway::is_hop_by_hop(name) || is_of_handshake(name))) {
    return wrong_value(fmt::format(
        "the header '{}' of websocket.accept is for the server to set; a subprotocol is told by "
        "'subprotocol'",
        gateway::excerpt_of(name)));
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
  keep(name, value);
  return std::nullopt;
}

void ResponseStart::keep(std::string_view name, std::string_view value) {
  const std::size_t begin = texts_.size();
  texts_.append(name).append(value);
  spans_.push_back({begin, begin + name.size(), texts_.size()});
}

// RFC 9110, 8.6: a 204 and a 101 must have none; that of a 304 is about another reply.
std::optional<std::uint64_t> ResponseStart::content_length() const noexcept {
  constexpr int kNoContent = 204;
  return status_ == kNoContent || accepts() ? std::nullopt : content_length_;
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
