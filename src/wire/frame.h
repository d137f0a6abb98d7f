// The frames that a httpd child and a worker exchange over a unix stream socket.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"

namespace pyhost::wire {

// Both ends are one build on one machine, which HELLO makes sure of, so numbers travel as the
// machine has them.

// No frame is larger but REQUEST and QUESTION, and no reader ever allocates more for one.
inline constexpr std::uint32_t kPayloadBytesMax = 1 << 20;
// The head of a request is as large as httpd's LimitRequest... directives let it be. Only who has
// greeted may send more than others.
inline constexpr std::uint32_t kRequestBytesMax = 16 << 20;

// The largest piece of a body in one frame: small enough to share a connection's buffers fairly.
inline constexpr std::size_t kBodyFrameBytesMax = 64 * 1024;

enum class FrameType : std::uint8_t {
  // From the child.
  request = 1,  // what to run, the request's head, and its body when that is small and there
  body,         // a piece of the request body
  body_end,     // the request body is complete, or will not be: with the client's fault
  abort,        // the client has gone
  greeting,     // once, before all others: proves that this is httpd
  cancel,       // the REQUEST is taken back if this comes with its end; see Connection::cancel()
  question,     // instead of a request: what a hook script is asked
  leave,        // behind a head with 101: the WebSocket is to be closed soon, and why
  // From the worker.
  head = 64,    // status and headers of the reply
  reply_body,   // a piece of the reply
  reply_file,   // a range of the file whose descriptor comes along (SCM_RIGHTS)
  flush,        // the application pauses: pass on what there is
  need_body,    // the application has begun to read: "100 Continue" is due
  log,          // a record for the request's own log
  end,          // the reply is complete; the connection may serve the next request
  error,        // it is not, and why
  retry,        // the application has not been entered: ask another worker
  hello,        // once, before all others: which build and worker has accepted the connection
  answer,       // to a question; the connection may serve the next exchange
  record,       // a record of Python's logging, for the request's own log
  early_hints,  // headers that the reply will have, before its head
  want_body,    // as need_body, of an application that goes on, and may answer, meanwhile
  trailers,     // behind the body of the reply, before its end
  counts,       // behind a head with 101: what has become of the WebSocket since the last of these
};

// "REQUEST", "HEAD": for log texts.
std::string_view name_of(FrameType type) noexcept;

// The same in every build, as is the number of HELLO: a child can read the first frame of any
// worker. On the wire: the length of the payload (4 bytes), the type (1), zero (3).
struct FrameHeader {
  FrameType type{};
  std::uint32_t payload_bytes = 0;
};

inline constexpr std::size_t kHeaderBytes = 8;
using HeaderBytes = std::array<char, kHeaderBytes>;

HeaderBytes encode_header(FrameHeader header) noexcept;

constexpr std::uint32_t payload_bytes_max(FrameType type) noexcept {
  const bool has_head = type == FrameType::request || type == FrameType::question;
  return has_head ? kRequestBytesMax : kPayloadBytesMax;
}

// Fails on what is no header, an unknown type and a payload over the limit.
base::Result<FrameHeader> decode_header(std::span<const char, kHeaderBytes> bytes);

}  // namespace pyhost::wire
