#include "wsgi/started_response.h"

#include <fmt/format.h>

#include "base/parse.h"
#include "wsgi/response_rules.h"

namespace pyhost::wsgi {

base::Result<> StartedResponse::set_status(std::string_view text) {
  PH_TRY(status, parse_status(text));
  status_ = status.code;
  texts_.assign(status.reason);
  reason_end_ = texts_.size();
  return {};
}

base::Result<> StartedResponse::add_header(std::string_view name, std::string_view value) {
  PH_TRY_VOID(check_header_text(name, value));
  if (const ConnectionWish wish = connection_wish(name, value); wish != ConnectionWish::none) {
    if (dropped_header_.empty()) {
      dropped_header_ = fmt::format("{}: {}", name, gateway::excerpt_of(value));
    }
    closes_connection_ = closes_connection_ || wish == ConnectionWish::close;
    return {};
  }
  PH_TRY_VOID(check_header(name, value));
  if (base::equals_ignoring_case(name, "Content-Length")) {
    PH_TRY(length, parse_content_length(value));
    if (content_length_) return base::fail("the response has two Content-Length headers");
    content_length_ = length;
    return {};
  }
  const std::size_t start = texts_.size();
  texts_.append(name).append(value);
  spans_.push_back({start, start + name.size(), texts_.size()});
  return {};
}

gateway::ResponseHead StartedResponse::head() {
  headers_.clear();
  for (const Span& span : spans_) {
    headers_.push_back({text(span.name, span.value), text(span.value, span.end)});
  }
  return {status_,         text(0, reason_end_), headers_,
          content_length_, closes_connection_,   annotations_};
}

}  // namespace pyhost::wsgi
