#include "wire/messages.h"

#include <algorithm>
#include <utility>

#include "pyhost/gateway/build_id.h"
#include "wire/message_parts.h"
#include "wire/payload.h"

namespace pyhost::wire {
namespace {

using gateway::BodyFault;
using gateway::EnvironEntry;

// The first piece of `text`, as large as a frame may have it. Each piece becomes a record, so cuts
// are made at line ends; only a line that is too long by itself is cut inside.
std::string_view take_log_piece(std::string_view& text) {
  constexpr std::size_t kPieceBytesMax = kPayloadBytesMax / 2;
  if (text.size() <= kPieceBytesMax) return std::exchange(text, {});
  const auto newline = text.rfind('\n', kPieceBytesMax);
  const bool at_line_end = newline != text.npos && newline != 0;
  const std::size_t bytes = at_line_end ? newline : kPieceBytesMax;
  const std::string_view piece = text.substr(0, bytes);
  text.remove_prefix(at_line_end ? bytes + 1 : bytes);
  return piece;
}

void write_headers(PayloadWriter& writer, std::span<const gateway::Header> headers) {
  writer.number(static_cast<std::uint32_t>(headers.size()));
  for (const gateway::Header& header : headers) {
    writer.text(header.name);
    writer.text(header.value);
  }
}

void read_headers(PayloadReader& reader, std::vector<gateway::Header>& headers) {
  const std::uint32_t count = reader.count(kHeaderEntryBytesMin);
  headers.clear();
  headers.reserve(count);
  for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
    const std::string_view name = reader.text();
    headers.push_back({name, reader.text()});
  }
}

}  // namespace

bool encode_request(const RequestMessage& message, std::string& out) {
  return encode_frame(FrameType::request, out, [&](PayloadWriter& writer) {
    write_target(writer, message.target);
    write_head(writer, message.head);
    writer.flag(message.body_follows);
    writer.flag(message.last_resort);
    writer.text(message.body);
  });
}

std::optional<RequestMessage> decode_request(std::string_view payload,
                                             std::vector<EnvironEntry>& environ) {
  PayloadReader reader(payload);
  RequestMessage message;
  message.target = read_target(reader);
  message.head = read_head(reader, environ);
  message.body_follows = reader.flag();
  message.last_resort = reader.flag();
  message.body = reader.text();
  return when_complete(reader, message);
}

void encode_greeting(const gateway::GroupSecret& secret, std::string& out) {
  const std::string_view bytes = secret.bytes();
  out.append(encode_header({FrameType::greeting, static_cast<std::uint32_t>(bytes.size())}).data(),
             kHeaderBytes);
  out.append(bytes);
}

bool greets(std::string_view payload, const gateway::GroupSecret& secret) noexcept {
  return secret.matches(payload);
}

void encode_body(FrameType type, std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, kBodyFrameBytesMax);
    out.append(encode_header({type, static_cast<std::uint32_t>(piece.size())}).data(),
               kHeaderBytes);
    out.append(piece);
    bytes.remove_prefix(piece.size());
  }
}

void encode_empty(FrameType type, std::string& out) {
  out.append(encode_header({type, 0}).data(), kHeaderBytes);
}

void encode_body_end(BodyFault fault, std::string& out) {
  static_cast<void>(encode_frame(FrameType::body_end, out, [&](PayloadWriter& writer) {
    writer.number(static_cast<std::uint8_t>(fault));
  }));
}

std::optional<BodyFault> decode_body_end(std::string_view payload) {
  PayloadReader reader(payload);
  const auto fault = BodyFault(reader.up_to(static_cast<std::uint8_t>(BodyFault::failed)));
  return when_complete(reader, fault);
}

void encode_leave(gateway::Leaving leaving, std::string& out) {
  static_cast<void>(encode_frame(FrameType::leave, out, [&](PayloadWriter& writer) {
    writer.number(static_cast<std::uint8_t>(leaving));
  }));
}

std::optional<gateway::Leaving> decode_leave(std::string_view payload) {
  PayloadReader reader(payload);
  const auto leaving =
      gateway::Leaving(reader.up_to(static_cast<std::uint8_t>(gateway::Leaving::stop)));
  return when_complete(reader, leaving);
}

void encode_end(const gateway::RunFigures& figures, std::string& out) {
  static_cast<void>(encode_frame(FrameType::end, out,
                                 [&](PayloadWriter& writer) { write_figures(writer, figures); }));
}

std::optional<gateway::RunFigures> decode_end(std::string_view payload) {
  PayloadReader reader(payload);
  return when_complete(reader, read_figures(reader));
}

void encode_counts(const gateway::SocketCounts& counts, std::string& out) {
  static_cast<void>(encode_frame(FrameType::counts, out, [&](PayloadWriter& writer) {
    writer.number(counts.received);
    writer.number(counts.sent);
    writer.number(counts.close_code);
  }));
}

std::optional<gateway::SocketCounts> decode_counts(std::string_view payload) {
  PayloadReader reader(payload);
  gateway::SocketCounts counts;
  counts.received = reader.number<std::uint64_t>();
  counts.sent = reader.number<std::uint64_t>();
  counts.close_code = reader.number<std::uint16_t>();
  if (counts.close_code != 0 && !gateway::is_close_code(counts.close_code)) return std::nullopt;
  return when_complete(reader, counts);
}

bool encode_headers(FrameType type, std::span<const gateway::Header> headers, std::string& out) {
  return encode_frame(type, out, [&](PayloadWriter& writer) { write_headers(writer, headers); });
}

bool decode_headers(std::string_view payload, std::vector<gateway::Header>& headers) {
  PayloadReader reader(payload);
  read_headers(reader, headers);
  return when_complete(reader, true).has_value();
}

bool encode_head(const gateway::ResponseHead& head, std::string& out) {
  return encode_frame(FrameType::head, out, [&](PayloadWriter& writer) {
    writer.number(static_cast<std::uint16_t>(head.status));
    writer.text(head.reason);
    write_optional(writer, head.content_length);
    writer.flag(head.closes_connection);
    write_headers(writer, head.headers);
    write_annotations(writer, head.annotations);
  });
}

std::optional<gateway::ResponseHead> decode_head(std::string_view payload,
                                                 std::vector<gateway::Header>& headers,
                                                 std::vector<gateway::Annotation>& annotations) {
  constexpr std::uint16_t kStatusMax = 999;
  PayloadReader reader(payload);
  gateway::ResponseHead head;
  head.status = reader.up_to(kStatusMax);
  head.reason = reader.text();
  head.content_length = read_optional(reader);
  head.closes_connection = reader.flag();
  read_headers(reader, headers);
  head.headers = headers;
  read_annotations(reader, annotations);
  head.annotations = annotations;
  return when_complete(reader, head);
}

void encode_file(const FileMessage& message, std::string& out) {
  static_cast<void>(encode_frame(FrameType::reply_file, out, [&](PayloadWriter& writer) {
    writer.number(message.offset);
    writer.number(message.length);
  }));
}

std::optional<FileMessage> decode_file(std::string_view payload) {
  PayloadReader reader(payload);
  FileMessage message;
  message.offset = reader.number<std::uint64_t>();
  message.length = reader.number<std::uint64_t>();
  return when_complete(reader, message);
}

void encode_log(const LogMessage& message, std::string& out) {
  std::string_view text = message.text;
  do {
    const std::string_view piece = take_log_piece(text);
    static_cast<void>(encode_frame(FrameType::log, out, [&](PayloadWriter& writer) {
      writer.number(static_cast<std::uint8_t>(message.level));
      writer.number(static_cast<std::uint16_t>(message.message));
      writer.text(piece);
    }));
  } while (!text.empty());
}

std::optional<LogMessage> decode_log(std::string_view payload) {
  PayloadReader reader(payload);
  LogMessage message;
  message.level = base::LogLevel(reader.up_to(static_cast<std::uint8_t>(base::LogLevel::trace)));
  message.message = base::Message(reader.number<std::uint16_t>());
  message.text = reader.text();
  return when_complete(reader, message);
}

void encode_record(const base::ApplicationRecord& record, std::string& out) {
  constexpr std::size_t kPartBytesMax = kPayloadBytesMax / 3;
  constexpr std::size_t kNameBytesMax = 1024;
  const auto skipped = record.traceback.size() - std::min(record.traceback.size(), kPartBytesMax);
  static_cast<void>(encode_frame(FrameType::record, out, [&](PayloadWriter& writer) {
    writer.number(static_cast<std::uint8_t>(record.level));
    writer.text(record.text.substr(0, kPartBytesMax));
    writer.text(record.traceback.substr(skipped));
    writer.text(record.logger.substr(0, kNameBytesMax));
    writer.text(record.file.substr(0, kNameBytesMax));
    writer.number(static_cast<std::uint32_t>(record.line));
  }));
}

std::optional<base::ApplicationRecord> decode_record(std::string_view payload) {
  PayloadReader reader(payload);
  base::ApplicationRecord record;
  record.level = base::LogLevel(reader.up_to(static_cast<std::uint8_t>(base::LogLevel::trace)));
  record.text = reader.text();
  record.traceback = reader.text();
  record.logger = reader.text();
  record.file = reader.text();
  record.line = reader.number<std::uint32_t>();
  return when_complete(reader, record);
}

void encode_error(const ErrorMessage& message, std::string& out) {
  constexpr std::size_t kCauseBytesMax = 4096;
  static_cast<void>(encode_frame(FrameType::error, out, [&](PayloadWriter& writer) {
    writer.number(message.status);
    writer.text(message.cause.substr(0, kCauseBytesMax));
    writer.number(static_cast<std::uint8_t>(message.failure));
    write_figures(writer, message.figures);
  }));
}

std::optional<ErrorMessage> decode_error(std::string_view payload) {
  constexpr std::uint16_t kStatusMax = 599;
  PayloadReader reader(payload);
  ErrorMessage message;
  message.status = reader.up_to(kStatusMax);
  message.cause = reader.text();
  message.failure = gateway::FailureCause(reader.up_to<std::uint8_t>(gateway::kFailureCauses - 1));
  message.figures = read_figures(reader);
  return when_complete(reader, message);
}

void encode_hello(const HelloMessage& message, std::string& out) {
  static_cast<void>(encode_frame(FrameType::hello, out, [&](PayloadWriter& writer) {
    writer.text(gateway::kBuildId);
    writer.number(message.pid);
    writer.number(message.generation);
    writer.number(message.capacity);
  }));
}

std::optional<std::string_view> build_of_hello(std::string_view payload) noexcept {
  PayloadReader reader(payload);
  const std::string_view build = reader.text();
  if (!reader.ok() || build.empty() || build.size() > gateway::kBuildIdBytesMax) {
    return std::nullopt;
  }
  return build;
}

std::optional<HelloMessage> decode_hello(std::string_view payload) {
  PayloadReader reader(payload);
  reader.text();
  HelloMessage message;
  message.pid = reader.number<std::uint32_t>();
  message.generation = reader.number<std::uint32_t>();
  message.capacity = reader.number<std::uint32_t>();
  return when_complete(reader, message);
}

void encode_retry(const RetryMessage& message, std::string& out) {
  constexpr std::size_t kReasonBytesMax = 4096;
  static_cast<void>(encode_frame(FrameType::retry, out, [&](PayloadWriter& writer) {
    writer.flag(message.lacks_script);
    writer.text(message.reason.substr(0, kReasonBytesMax));
  }));
}

std::optional<RetryMessage> decode_retry(std::string_view payload) {
  PayloadReader reader(payload);
  RetryMessage message;
  message.lacks_script = reader.flag();
  message.reason = reader.text();
  return when_complete(reader, message);
}

}  // namespace pyhost::wire
