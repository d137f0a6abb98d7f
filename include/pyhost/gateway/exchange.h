// One request and its reply, as an engine sees them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "pyhost/gateway/annotation.h"
#include "pyhost/gateway/caller.h"
#include "pyhost/gateway/request_head.h"
#include "pyhost/gateway/run_figures.h"

namespace pyhost::gateway {

// Why the request body cannot be read any further.
enum class BodyFault {
  none,
  client_gone,  // the connection ended before the body did
  too_slow,     // httpd's Timeout or mod_reqtimeout struck
  malformed,    // a broken chunk
  too_large,    // over LimitRequestBody
  failed,       // an input filter failed for a reason of its own
};

// The status that tells the client what it did: 400, 408, 413; 500 for `failed`.
int status_of(BodyFault fault) noexcept;

// "the client closed the connection" and the like, for the application's OSError and our log.
std::string_view describe(BodyFault fault) noexcept;

struct BodyRead {
  std::size_t bytes = 0;  // 0 with no fault: end of the body
  BodyFault fault = BodyFault::none;
};

struct Header {
  std::string_view name;
  std::string_view value;
};

// Already checked (wsgi/response_rules.h): no control characters, no hop-by-hop header, at most
// one Content-Length, which appears here only as the number.
struct ResponseHead {
  int status = 200;                 // 200..999, or 101 (channel.h)
  std::string_view reason;          // may be empty: httpd's own phrase
  std::span<const Header> headers;  // repeated names stay separate lines
  std::optional<std::uint64_t> content_length;
  // The client's connection is not to be used for another request.
  bool closes_connection = false;
  // For httpd alone, not for the client; checked (annotation.h).
  std::span<const Annotation> annotations = {};
};

// A range of an open regular file that httpd is to send itself. The sender duplicates the
// descriptor; its file offset is neither used nor changed.
struct FileRange {
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  // Whether nobody else can write to the file. Any other may become shorter while it is sent.
  bool unchanging = false;
};

// A piece of the reply. Head, data and end may come together, so that a reply that is complete at
// once costs one pass through httpd's filters.
struct ReplyPart {
  enum class Then {
    more,   // the next piece follows at once
    pause,  // the application is about to make the next piece: flush what there is
    end,    // the reply is complete
  };

  const ResponseHead* head = nullptr;        // exactly once, in the first part
  std::span<const std::string_view> blocks;  // sent in order
  const FileRange* file = nullptr;           // sent behind the blocks
  Then then = Then::more;
  // With Then::end: for the client behind the body, where its protocol has that (HTTP/2).
  // PRECONDITION: check_trailers() has nothing against them.
  std::span<const Header> trailers = {};
  RunFigures figures = {};  // with Then::end: until then
};

enum class SendResult {
  sent,
  client_gone,  // nobody listens any more: stop producing
  superseded,   // httpd has answered the request itself (400, 413): this and all later parts are
                // dropped
};

// What Python's side sees of a request. Implemented by the worker over a connection to the httpd
// child, and in that child over request_rec. One thread at a time, and only while Runner::run()
// runs. Every call may block; none throws. The caller holds no interpreter lock.
class Exchange : public Caller {
 public:
  virtual const RequestHead& head() const noexcept = 0;

  // Waits for at least one byte. A fault is final: later calls report it again. At the first call
  // the client is told "100 Continue" when it waits for that.
  virtual BodyRead read_body(std::span<char> into) noexcept = 0;

  // PRECONDITION: no part with Then::end was sent before.
  virtual SendResult send(const ReplyPart& part) noexcept = 0;

  // Tells the client of headers that the reply will have (RFC 8297), where its protocol has that
  // and nothing is in the way; says nothing of whether it has. PRECONDITION: check_early_hints()
  // has nothing against them, and no part with a head was sent before.
  virtual void send_early_hints(std::span<const Header> headers) noexcept = 0;

  // Whether nobody listens any more, as far as can be seen without waiting for the client. One that
  // has closed its sending side has gone, although it may still listen.
  virtual bool client_gone() noexcept = 0;
};

}  // namespace pyhost::gateway
