// Any bytes as what a client sends, and as an offer of extensions: nothing is kept beyond what is
// allowed, nothing comes behind the end, and however the bytes are cut the same is read.
//
// The first byte says whether messages may be compressed, and how the rest is cut.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "websocket/deflate_offer.h"
#include "websocket/frame_writer.h"
#include "websocket/message_reader.h"
#include "websocket/protocol.h"

namespace {

using namespace pyhost::websocket;
using Kind = MessageReader::Event::Kind;

constexpr std::size_t kMessageBytesMax = 2000;

void require(bool condition) {
  if (!condition) std::abort();
}

struct Read {
  Kind kind;
  int code;
  std::string text;

  bool operator==(const Read&) const = default;
};

void require_sound(const Read& event) {
  require(event.text.size() <= kMessageBytesMax);
  Utf8Check check;
  if (event.kind == Kind::text || event.kind == Kind::close) {
    require(check.take(event.text) && check.complete());
  }
  if (event.kind == Kind::ping || event.kind == Kind::pong) {
    require(event.text.size() <= kControlBytesMax);
  }
  if (event.kind == Kind::close) {
    require(event.code == kCloseNoCode || is_sendable_code(event.code));
    require(close_frame(event.code, event.text).size() <= 2 + kControlBytesMax);
  }
  if (event.kind == Kind::fault) require(is_sendable_code(event.code));
}

std::vector<Read> read(std::string_view bytes, std::size_t piece_bytes, bool compressed) {
  MessageReader reader(
      kMessageBytesMax,
      compressed ? std::optional<Inflater>(std::in_place, Inflater::Context::kept) : std::nullopt);
  std::vector<Read> events;
  bool over = false;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    while (true) {
      const MessageReader::Event event = reader.next(piece);
      require(reader.bytes_kept() <= kMessageBytesMax + 1 + piece_bytes);
      if (event.kind == Kind::incomplete) break;
      require(!over);
      const bool is_message = event.kind == Kind::text || event.kind == Kind::bytes;
      const bool is_fault = event.kind == Kind::fault;
      // Which fault of several is found first depends on how much is seen at once.
      events.push_back({event.kind, event.code,
                        is_message ? reader.take_message()
                                   : std::string(is_fault ? std::string_view() : event.text)});
      require_sound(events.back());
      over = is_fault || event.kind == Kind::close;
    }
    require(piece.empty());
  }
  return events;
}

void check_offer(std::string_view offers) {
  const auto agreement = agree_on_deflate(offers);
  if (!agreement) return;
  require(agreement->server_window_bits >= 9 && agreement->server_window_bits <= 15);
  const auto again = agree_on_deflate(agreement->answer);
  require(again && again->answer == agreement->answer);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned how = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const bool compressed = (how & 1U) != 0;
  const std::vector<Read> whole = read(bytes, bytes.size(), compressed);
  require(read(bytes, 1, compressed) == whole);
  require(read(bytes, 2 + (how >> 1U), compressed) == whole);
  check_offer(bytes);
  return 0;
}
