#include "wire/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace pyhost::wire {
namespace {

constexpr std::size_t kTypeAt = 4;
constexpr std::size_t kZeroAt = 5;

}  // namespace

std::string_view name_of(FrameType type) noexcept {
  switch (type) {
    case FrameType::request:
      return "REQUEST";
    case FrameType::body:
      return "BODY";
    case FrameType::body_end:
      return "BODY_END";
    case FrameType::abort:
      return "ABORT";
    case FrameType::greeting:
      return "GREETING";
    case FrameType::cancel:
      return "CANCEL";
    case FrameType::question:
      return "QUESTION";
    case FrameType::leave:
      return "LEAVE";
    case FrameType::head:
      return "HEAD";
    case FrameType::reply_body:
      return "REPLY_BODY";
    case FrameType::reply_file:
      return "REPLY_FILE";
    case FrameType::flush:
      return "FLUSH";
    case FrameType::need_body:
      return "NEED_BODY";
    case FrameType::log:
      return "LOG";
    case FrameType::end:
      return "END";
    case FrameType::error:
      return "ERROR";
    case FrameType::retry:
      return "RETRY";
    case FrameType::hello:
      return "HELLO";
    case FrameType::answer:
      return "ANSWER";
    case FrameType::record:
      return "RECORD";
    case FrameType::early_hints:
      return "EARLY_HINTS";
    case FrameType::want_body:
      return "WANT_BODY";
    case FrameType::trailers:
      return "TRAILERS";
    case FrameType::counts:
      return "COUNTS";
  }
  return {};
}

HeaderBytes encode_header(FrameHeader header) noexcept {
  HeaderBytes bytes{};
  std::memcpy(bytes.data(), &header.payload_bytes, sizeof header.payload_bytes);
  bytes[kTypeAt] = static_cast<char>(header.type);
  return bytes;
}

base::Result<FrameHeader> decode_header(std::span<const char, kHeaderBytes> bytes) {
  FrameHeader header;
  std::memcpy(&header.payload_bytes, bytes.data(), sizeof header.payload_bytes);
  header.type = static_cast<FrameType>(bytes[kTypeAt]);
  if (!std::ranges::all_of(bytes.subspan<kZeroAt>(), [](char byte) { return byte == 0; })) {
    return base::fail("bytes that are no frame");
  }
  if (name_of(header.type).empty()) {
    return base::fail(fmt::format("a frame of unknown type {}", static_cast<int>(header.type)));
  }
  if (header.payload_bytes > payload_bytes_max(header.type)) {
    return base::fail(fmt::format("a {} frame of {} bytes, more than {}", name_of(header.type),
                                  header.payload_bytes, payload_bytes_max(header.type)));
  }
  return header;
}

}  // namespace pyhost::wire
