// What the frames say. Encoding appends a whole frame, header included; decoding takes a payload
// whose header decode_header() has accepted, and gives nothing when the payload is not exactly one
// such message. Decoded texts are views into the payload.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/log.h"
#include "pyhost/gateway/exchange.h"
#include "pyhost/gateway/failure_cause.h"
#include "pyhost/gateway/group_secret.h"
#include "pyhost/gateway/leaving.h"
#include "pyhost/gateway/request_head.h"
#include "pyhost/gateway/run_figures.h"
#include "pyhost/gateway/socket_counts.h"
#include "pyhost/gateway/target.h"
#include "wire/frame.h"

namespace pyhost::wire {

// REQUEST. The process group is the connection's own and does not travel; nor does what the worker
// notes in the head itself.
struct RequestMessage {
  gateway::Target target;
  gateway::RequestHead head;
  std::string_view body;      // what came along
  bool body_follows = false;  // more comes as BODY frames, after NEED_BODY
  bool last_resort = false;   // no other worker is said to have the script
};
// False, and nothing appended, when it does not fit a frame.
[[nodiscard]] bool encode_request(const RequestMessage& message, std::string& out);
// `environ` receives the entries that message.head then points to.
std::optional<RequestMessage> decode_request(std::string_view payload,
                                             std::vector<gateway::EnvironEntry>& environ);

// GREETING: the secret of the process group.
void encode_greeting(const gateway::GroupSecret& secret, std::string& out);
bool greets(std::string_view payload, const gateway::GroupSecret& secret) noexcept;

// BODY and REPLY_BODY: as many frames as the bytes need.
void encode_body(FrameType type, std::string_view bytes, std::string& out);

// BODY_END.
void encode_body_end(gateway::BodyFault fault, std::string& out);
std::optional<gateway::BodyFault> decode_body_end(std::string_view payload);

// ABORT, CANCEL, FLUSH, NEED_BODY, WANT_BODY: no payload.
void encode_empty(FrameType type, std::string& out);

// LEAVE.
void encode_leave(gateway::Leaving leaving, std::string& out);
std::optional<gateway::Leaving> decode_leave(std::string_view payload);

// END: what the run has cost.
void encode_end(const gateway::RunFigures& figures, std::string& out);
std::optional<gateway::RunFigures> decode_end(std::string_view payload);

// COUNTS.
void encode_counts(const gateway::SocketCounts& counts, std::string& out);
std::optional<gateway::SocketCounts> decode_counts(std::string_view payload);

// HEAD. `headers` and `annotations` receive what the head then points to.
[[nodiscard]] bool encode_head(const gateway::ResponseHead& head, std::string& out);
std::optional<gateway::ResponseHead> decode_head(std::string_view payload,
                                                 std::vector<gateway::Header>& headers,
                                                 std::vector<gateway::Annotation>& annotations);

// EARLY_HINTS and TRAILERS. `headers` receives what they are.
[[nodiscard]] bool encode_headers(FrameType type, std::span<const gateway::Header> headers,
                                  std::string& out);
bool decode_headers(std::string_view payload, std::vector<gateway::Header>& headers);

// REPLY_FILE. The descriptor travels beside the frame.
struct FileMessage {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
};
void encode_file(const FileMessage& message, std::string& out);
std::optional<FileMessage> decode_file(std::string_view payload);

// LOG: as many frames as the text needs; each is a record of its own.
struct LogMessage {
  base::LogLevel level = base::LogLevel::error;
  base::Message message = base::Message::none;
  std::string_view text;
};
void encode_log(const LogMessage& message, std::string& out);
std::optional<LogMessage> decode_log(std::string_view payload);

// RECORD. What is too long for a frame loses the end of its text, and the beginning of its
// traceback.
void encode_record(const base::ApplicationRecord& record, std::string& out);
std::optional<base::ApplicationRecord> decode_record(std::string_view payload);

// ERROR: with a status, answer the client with it, nothing was sent; without, the reply is broken.
struct ErrorMessage {
  std::uint16_t status = 0;
  std::string_view cause;
  gateway::FailureCause failure = gateway::FailureCause::none;
  gateway::RunFigures figures = {};
};
void encode_error(const ErrorMessage& message, std::string& out);
std::optional<ErrorMessage> decode_error(std::string_view payload);

// HELLO, which begins with the sender's build. A connection may wait in the socket's backlog for
// the successor of the worker that it was made for.
struct HelloMessage {
  std::uint32_t pid = 0;
  std::uint32_t generation = 0;
  std::uint32_t capacity = 1;  // how many requests the worker takes at the same time
};
void encode_hello(const HelloMessage& message, std::string& out);
// The build that a HELLO of whatever build names: a number of 4 bytes, and so many bytes of text.
// It is at most gateway::kBuildIdBytesMax long. What lies behind it is for that build alone.
std::optional<std::string_view> build_of_hello(std::string_view payload) noexcept;
// PRECONDITION: the build is this one.
std::optional<HelloMessage> decode_hello(std::string_view payload);

// RETRY.
struct RetryMessage {
  // The worker cannot run the script, and goes on with others; otherwise it is being replaced.
  bool lacks_script = false;
  std::string_view reason;  // for the log
};
void encode_retry(const RetryMessage& message, std::string& out);
std::optional<RetryMessage> decode_retry(std::string_view payload);

}  // namespace pyhost::wire
