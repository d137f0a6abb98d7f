// What start_response() was last called with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pyhost/base/result.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::wsgi {

// A checked response head that owns its texts: the application may change or drop its own.
class StartedResponse {
 public:
  base::Result<> set_status(std::string_view text);
  // A Content-Length becomes the number; a second one is refused. What only says whether the
  // connection is to be kept is dropped: that is the server's, and may be its end.
  base::Result<> add_header(std::string_view name, std::string_view value);
  // One that was dropped, as text for the log; empty for none.
  const std::string& dropped_header() const noexcept { return dropped_header_; }

  int status() const noexcept { return status_; }
  const std::optional<std::uint64_t>& content_length() const noexcept { return content_length_; }
  void set_content_length(std::uint64_t length) noexcept { content_length_ = length; }

  // For httpd alone; checked.
  void annotate(std::vector<gateway::Annotation> annotations) noexcept {
    annotations_ = std::move(annotations);
  }

  // The head to send; valid until the response is changed or goes.
  gateway::ResponseHead head();

 private:
  struct Span {
    std::size_t name;
    std::size_t value;
    std::size_t end;
  };

  std::string_view text(std::size_t from, std::size_t to) const noexcept {
    return std::string_view(texts_).substr(from, to - from);
  }

  int status_ = 0;
  std::size_t reason_end_ = 0;
  std::string texts_;  // the reason, then names and values
  std::vector<Span> spans_;
  std::vector<gateway::Header> headers_;
  std::optional<std::uint64_t> content_length_;
  bool closes_connection_ = false;
  std::vector<gateway::Annotation> annotations_;
  std::string dropped_header_;
};

}  // namespace pyhost::wsgi
