// The head that an application starts its reply with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "asgi/refusal.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::asgi {

// A checked response head that owns its texts. Names and values are the application's bytes.
class ResponseStart {
 public:
  // The head that accepts a WebSocket (ASGI WebSocket, "Accept"): its headers are held to more.
  static ResponseStart of_accept();
  // 200 to 999.
  Verdict set_status(long long status);
  // A Content-Length becomes the number, and a second one is refused. Transfer-Encoding is left out
  // (ASGI HTTP, "Response Start"), and so is what else is about the client's connection: that is
  // the server's, and may be its end.
  Verdict add_header(std::string_view name, std::string_view value);

  // Of an accept: what the client and the server have agreed on; checked by whoever did.
  void agree_on_subprotocol(std::string_view name) { keep("sec-websocket-protocol", name); }
  void agree_on_extensions(std::string_view value) { keep("sec-websocket-extensions", value); }

  // Trailers follow the body (ASGI extensions, "HTTP Trailers").
  void announce_trailers() noexcept { announces_trailers_ = true; }

  int status() const noexcept { return status_; }
  bool announces_trailers() const noexcept { return announces_trailers_; }
  // Nothing where the reply may have none.
  std::optional<std::uint64_t> content_length() const noexcept;
  // The reply is one of events that somebody waits for (text/event-stream).
  bool is_event_stream() const noexcept { return is_event_stream_; }
  // One that was left out, as text for the log; empty for none.
  const std::string& dropped_header() const noexcept { return dropped_header_; }

  // For httpd alone; checked.
  void annotate(std::vector<gateway::Annotation> annotations) noexcept {
    annotations_ = std::move(annotations);
  }

  // The head to send; valid until the object is changed or goes.
  gateway::ResponseHead head();

 private:
  struct Span {
    std::size_t name;
    std::size_t value;
    std::size_t end;
  };

  void drop(std::string_view name, std::string_view value);
  bool accepts() const noexcept;
  void keep(std::string_view name, std::string_view value);
  std::string_view text(std::size_t from, std::size_t to) const noexcept {
    return std::string_view(texts_).substr(from, to - from);
  }

  int status_ = 0;
  std::string texts_;  // names and values
  std::vector<Span> spans_;
  std::vector<gateway::Header> headers_;
  std::optional<std::uint64_t> content_length_;
  bool announces_trailers_ = false;
  bool is_event_stream_ = false;
  bool closes_connection_ = false;
  std::vector<gateway::Annotation> annotations_;
  std::string dropped_header_;
};

}  // namespace pyhost::asgi
