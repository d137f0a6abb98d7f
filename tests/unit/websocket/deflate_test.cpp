// permessage-deflate (RFC 7692).

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "harness/client_frames.h"
#include "websocket/deflate_offer.h"
#include "websocket/deflater.h"
#include "websocket/inflater.h"
#include "websocket/message_reader.h"

namespace pyhost::websocket {
namespace {

using test::bytes_of;
using Result = Inflater::Result;

constexpr std::size_t kTextBytesMax = 1024 * 1024;

struct OfferRow {
  const char* offers;
  const char* answer;  // null: none
};

TEST(DeflateOffer, IsAnsweredAsTheTableSays) {
  const OfferRow rows[] = {
      {"", nullptr},
      {"x-webkit-deflate-frame", nullptr},
      {"permessage-deflate", "permessage-deflate"},
      {"PerMessage-Deflate", "permessage-deflate"},
      {"permessage-deflate; client_max_window_bits", "permessage-deflate"},
      {"permessage-deflate; client_max_window_bits=8", "permessage-deflate"},
      {"permessage-deflate; client_max_window_bits=\"15\"", "permessage-deflate"},
      {"permessage-deflate; client_max_window_bits=16", nullptr},
      {"permessage-deflate; client_max_window_bits=08", nullptr},
      {"permessage-deflate; client_max_window_bits=x", nullptr},
      {"permessage-deflate; client_max_window_bits=", nullptr},
      {"permessage-deflate; server_max_window_bits=15",
       "permessage-deflate; server_max_window_bits=12"},
      {"permessage-deflate; server_max_window_bits=10",
       "permessage-deflate; server_max_window_bits=10"},
      {"permessage-deflate; server_max_window_bits=8", nullptr},
      {"permessage-deflate; server_max_window_bits", nullptr},
      {"permessage-deflate; server_no_context_takeover",
       "permessage-deflate; server_no_context_takeover"},
      {"permessage-deflate; server_no_context_takeover=1", nullptr},
      {"permessage-deflate;client_no_context_takeover;client_max_window_bits",
       "permessage-deflate; client_no_context_takeover"},
      {"permessage-deflate; client_max_window_bits; client_max_window_bits", nullptr},
      {"permessage-deflate; unknown", nullptr},
      {"permessage-deflate; server_max_window_bits=8, permessage-deflate", "permessage-deflate"},
      {"other; a=\"b, permessage-deflate\", permessage-deflate; server_no_context_takeover",
       "permessage-deflate; server_no_context_takeover"},
      {", ,", nullptr},
      {"permessage-deflate; \"", nullptr},
  };
  for (const OfferRow& row : rows) {
    const auto agreement = agree_on_deflate(row.offers);
    EXPECT_EQ(agreement ? agreement->answer : "none", row.answer ? row.answer : "none")
        << row.offers;
  }
}

std::string sample(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i)
    text += fmt::format("{{\"id\": {}, \"name\": \"n\"}}", i);
  text.resize(bytes);
  return text;
}

// The text that a client has of messages, one after the other.
std::string inflated(Inflater& inflater, std::string_view deflated) {
  std::string text;
  EXPECT_EQ(inflater.inflate(deflated, text, kTextBytesMax), Result::done);
  EXPECT_EQ(inflater.end_message(text, kTextBytesMax), Result::done);
  return text;
}

TEST(Deflate, GivesBackWhatItWasGiven) {
  for (const int bits : {9, 12, 15}) {
    for (const std::size_t size : {0, 1, 64, 1000, 65536, 300000}) {
      Deflater deflater(bits, Deflater::Context::kept);
      Inflater inflater(Inflater::Context::kept);
      for (int i = 0; i < 3; ++i) {
        const std::string text = sample(size);
        const std::string deflated = deflater.deflate(text);
        EXPECT_EQ(inflated(inflater, deflated), text) << bits << " " << size;
      }
    }
  }
}

TEST(Deflate, RefersToEarlierMessagesOnlyWhereThatIsAgreed) {
  const std::string text = sample(1000);
  Deflater keeps(12, Deflater::Context::kept);
  const std::size_t first = keeps.deflate(text).size();
  EXPECT_LT(keeps.deflate(text).size() * 4, first);
  Deflater forgets(12, Deflater::Context::of_each_message);
  EXPECT_EQ(forgets.deflate(text), forgets.deflate(text));
  Inflater inflater(Inflater::Context::of_each_message);
  EXPECT_EQ(inflated(inflater, forgets.deflate(text)), text);
  EXPECT_EQ(inflated(inflater, forgets.deflate(text)), text);
}

// RFC 7692, 7.2.3.
TEST(Deflate, ReadsTheExamplesOfTheSpecification) {
  Inflater inflater(Inflater::Context::kept);
  EXPECT_EQ(inflated(inflater, std::string_view("\xf2\x48\xcd\xc9\xc9\x07\x00", 7)), "Hello");
  EXPECT_EQ(inflated(inflater, std::string_view("\xf2\x00\x11\x00\x00", 5)), "Hello");
  Inflater stored(Inflater::Context::kept);
  EXPECT_EQ(inflated(stored, std::string_view("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11)),
            "Hello");
  Inflater final_block(Inflater::Context::kept);
  EXPECT_EQ(inflated(final_block, std::string_view("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8)),
            "Hello");
  EXPECT_EQ(inflated(final_block, std::string_view("\xf2\x00\x11\x00\x00", 5)), "Hello");
  Inflater two_blocks(Inflater::Context::kept);
  EXPECT_EQ(inflated(two_blocks, std::string_view("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9"
                                                  "\x07\x00",
                                                  13)),
            "Hello");
}

TEST(Deflate, InflatesNoMoreThanOneByteTooMuch) {
  Deflater deflater(15, Deflater::Context::kept);
  const std::string bomb = deflater.deflate(std::string(64 * 1024 * 1024, '\0'));
  ASSERT_LT(bomb.size(), 100'000u);
  Inflater inflater(Inflater::Context::kept);
  std::string text;
  EXPECT_EQ(inflater.inflate(bomb, text, 1000), Result::too_large);
  EXPECT_EQ(text.size(), 1001u);
}

struct LimitRow {
  std::size_t bytes, bytes_max;
  Result result;
};

TEST(Deflate, HoldsTheLimitToTheByte) {
  for (const std::size_t size : {1000, 16384, 16385, 32768, 100000}) {
    for (const LimitRow& row :
         {LimitRow{size, size, Result::done}, LimitRow{size, size + 1, Result::done},
          LimitRow{size, size - 1, Result::too_large}}) {
      Deflater deflater(12, Deflater::Context::kept);
      Inflater inflater(Inflater::Context::kept);
      std::string text;
      Result result = inflater.inflate(deflater.deflate(sample(row.bytes)), text, row.bytes_max);
      if (result == Result::done) result = inflater.end_message(text, row.bytes_max);
      EXPECT_EQ(result, row.result) << row.bytes << " of " << row.bytes_max;
    }
  }
}

struct Seen {
  MessageReader::Event::Kind kind;
  int code;
  std::string text;
};

std::vector<Seen> read(std::string_view bytes, std::size_t piece_bytes, std::size_t bytes_max) {
  MessageReader reader(bytes_max, Inflater(Inflater::Context::kept));
  std::vector<Seen> seen;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    while (true) {
      const MessageReader::Event event = reader.next(piece);
      if (event.kind == MessageReader::Event::Kind::incomplete) break;
      seen.push_back({event.kind, event.code, reader.take_message()});
    }
  }
  return seen;
}

TEST(CompressedMessages, ComeInFragmentsAndPieces) {
  const std::string text = sample(5000);
  Deflater deflater(15, Deflater::Context::kept);
  const std::string deflated = deflater.deflate(text);
  for (const std::size_t fragment : {std::size_t{1}, std::size_t{100}, deflated.size()}) {
    std::string sent;
    for (std::size_t at = 0; at < deflated.size(); at += fragment) {
      sent += bytes_of({.opcode = at == 0 ? 1U : 0U,
                        .payload = deflated.substr(at, fragment),
                        .is_final = at + fragment >= deflated.size(),
                        .rsv = at == 0 ? 4U : 0U});
    }
    sent += bytes_of(test::text_frame("plain"));
    for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, sent.size()}) {
      const auto seen = read(sent, piece, kTextBytesMax);
      ASSERT_EQ(seen.size(), 2u);
      EXPECT_EQ(seen[0].text, text);
      EXPECT_EQ(seen[1].text, "plain");
    }
  }
}

TEST(CompressedMessages, AreHeldToWhatTheyComeTo) {
  Deflater deflater(15, Deflater::Context::kept);
  const std::string too_much =
      bytes_of({.opcode = 2, .payload = deflater.deflate(std::string(100'000, 'x')), .rsv = 4});
  EXPECT_EQ(read(too_much, too_much.size(), 99'999).back().code, kCloseTooLarge);
  EXPECT_EQ(read(too_much, too_much.size(), 100'000).back().text.size(), 100'000u);
  Deflater other(15, Deflater::Context::kept);
  const std::string no_text =
      bytes_of({.opcode = 1, .payload = other.deflate(std::string(100, '\xff')), .rsv = 4});
  EXPECT_EQ(read(no_text, 1, kTextBytesMax).back().code, kCloseNotUtf8);
  const std::string garbage = bytes_of({.opcode = 1, .payload = "\xff\xff\xff\xff", .rsv = 4});
  EXPECT_EQ(read(garbage, 1, kTextBytesMax).back().code, kCloseNotUtf8);
}

TEST(CompressedMessages, SaySoInTheirFirstFrameOnly) {
  const std::string twice =
      bytes_of({.opcode = 1, .is_final = false, .rsv = 4}) + bytes_of({.opcode = 0, .rsv = 4});
  EXPECT_EQ(read(twice, 1, kTextBytesMax).back().code, kCloseProtocolError);
  const std::string ping = bytes_of({.opcode = 9, .rsv = 4});
  EXPECT_EQ(read(ping, 1, kTextBytesMax).back().code, kCloseProtocolError);
}

}  // namespace
}  // namespace pyhost::websocket
