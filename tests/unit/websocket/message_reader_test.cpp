// What a client may send and what not: the ground that Autobahn's test suite covers, each line cut
// in several ways.

#include "websocket/message_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <vector>

#include "harness/client_frames.h"

namespace pyhost::websocket {
namespace {

using test::binary_frame;
using test::bytes_of;
using test::ClientFrame;
using test::close_frame_of;
using test::text_frame;
using Kind = MessageReader::Event::Kind;

constexpr std::size_t kMessageBytesMax = 1024 * 1024;

// Long payloads by their length and a sum, so that a table can be read.
std::string shown(std::string_view payload) {
  if (payload.size() <= 40) return std::string(payload);
  std::size_t sum = 0;
  for (const char byte : payload) sum = sum * 31 + static_cast<unsigned char>(byte);
  return fmt::format("<{} bytes, {:x}>", payload.size(), sum);
}

std::string words_of(const MessageReader::Event& event, MessageReader& reader) {
  switch (event.kind) {
    case Kind::incomplete:
      return "";
    case Kind::text:
      return "text " + shown(reader.take_message());
    case Kind::bytes:
      return "bytes " + shown(reader.take_message());
    case Kind::ping:
      return "ping " + shown(event.text);
    case Kind::pong:
      return "pong " + shown(event.text);
    case Kind::close:
      return fmt::format("close {} {}", event.code, shown(event.text));
    case Kind::fault:
      return fmt::format("fault {}", event.code);
  }
  return "";
}

// What comes of bytes that arrive in pieces of that size.
std::vector<std::string> read(std::string_view bytes, std::size_t piece_bytes,
                              std::size_t message_bytes_max = kMessageBytesMax) {
  MessageReader reader(message_bytes_max);
  std::vector<std::string> events;
  while (!bytes.empty()) {
    std::string_view piece = bytes.substr(0, piece_bytes);
    bytes.remove_prefix(piece.size());
    while (true) {
      const MessageReader::Event event = reader.next(piece);
      if (event.kind == Kind::incomplete) break;
      events.push_back(words_of(event, reader));
    }
    EXPECT_TRUE(piece.empty());
  }
  return events;
}

struct Case {
  std::string name;
  std::string sent;
  std::vector<std::string> events;
};

std::string frames(std::initializer_list<ClientFrame> all) {
  std::string bytes;
  for (const ClientFrame& frame : all) bytes += bytes_of(frame);
  return bytes;
}

std::string repeated(std::string_view text, std::size_t bytes) {
  std::string all;
  while (all.size() < bytes) all += text;
  all.resize(bytes);
  return all;
}

using Cases = std::vector<Case>;

// --- 1: framing ------------------------------------------------------------------------------

void add_framing(Cases& cases) {
  for (const std::size_t size :
       {0, 1, 2, 3, 7, 8, 9, 15, 124, 125, 126, 127, 128, 1000, 65535, 65536, 65537, 131072}) {
    const std::string text = repeated("*text*", size);
    const std::string bytes = repeated("\xfe\x01\x80\xff", size);
    cases.push_back(
        {fmt::format("Text{}", size), bytes_of(text_frame(text)), {"text " + shown(text)}});
    cases.push_back(
        {fmt::format("Bytes{}", size), bytes_of(binary_frame(bytes)), {"bytes " + shown(bytes)}});
  }
  for (const unsigned char byte : {0x00, 0x01, 0x80, 0xff}) {
    ClientFrame frame = text_frame("masked otherwise");
    frame.key = {byte, byte, 0x11, byte};
    cases.push_back({fmt::format("Key{}", byte), bytes_of(frame), {"text masked otherwise"}});
  }
}

void add_malformed_frames(Cases& cases) {
  const std::string before = bytes_of(text_frame("before"));
  const auto add = [&](std::string name, const ClientFrame& wrong) {
    cases.push_back({name, bytes_of(wrong), {"fault 1002"}});
    cases.push_back({name + "BehindAMessage",
                     before + bytes_of(wrong) + before,
                     {"text before", "fault 1002"}});
  };
  for (const unsigned opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    add(fmt::format("Opcode{}", opcode), {.opcode = opcode});
    add(fmt::format("Opcode{}WithPayload", opcode), {.opcode = opcode, .payload = "reserved"});
  }
  for (unsigned rsv = 1; rsv < 8; ++rsv) {
    for (const unsigned opcode : {1, 2, 8, 9, 10}) {
      add(fmt::format("Rsv{}OfOpcode{}", rsv, opcode),
          {.opcode = opcode, .payload = opcode == 8 ? "" : "x", .rsv = rsv});
    }
  }
  for (const unsigned opcode : {0, 1, 2, 8, 9, 10}) {
    add(fmt::format("UnmaskedOpcode{}", opcode), {.opcode = opcode, .is_masked = false});
  }
  add("LengthOf125InTwoBytes", {.payload = std::string(125, 'x'), .length_bytes = 2});
  add("LengthOf0InTwoBytes", {.length_bytes = 2});
  add("LengthOf125InEightBytes", {.payload = std::string(125, 'x'), .length_bytes = 8});
  add("LengthOf65535InEightBytes", {.payload = std::string(65535, 'x'), .length_bytes = 8});
  cases.push_back(
      {"LengthWithItsFirstBit", "\x82\xff\x80" + std::string(7, '\0') + "mask", {"fault 1002"}});
}

// --- 2: Ping and Pong --------------------------------------------------------------------------

void add_pings(Cases& cases) {
  for (const std::size_t size : {0, 1, 2, 10, 124, 125}) {
    const std::string payload = repeated("\xff\xfe\x7f", size);
    cases.push_back({fmt::format("Ping{}", size),
                     frames({{.opcode = 9, .payload = payload}}),
                     {"ping " + shown(payload)}});
    cases.push_back({fmt::format("Pong{}", size),
                     frames({{.opcode = 10, .payload = payload}}),
                     {"pong " + shown(payload)}});
  }
  for (const unsigned opcode : {8, 9, 10}) {
    for (const std::size_t size : {126, 127, 65536}) {
      cases.push_back({fmt::format("ControlFrame{}Of{}", opcode, size),
                       frames({{.opcode = opcode, .payload = std::string(size, '\xfe')}}),
                       {"fault 1002"}});
    }
    cases.push_back({fmt::format("ControlFrame{}Fragmented", opcode),
                     frames({{.opcode = opcode, .payload = "", .is_final = false},
                             {.opcode = 0, .payload = ""}}),
                     {"fault 1002"}});
  }
  std::string ten;
  std::vector<std::string> answers;
  for (int i = 0; i < 10; ++i) {
    ten += frames({{.opcode = 9, .payload = fmt::format("payload-{}", i)}});
    answers.push_back(fmt::format("ping payload-{}", i));
  }
  cases.push_back({"TenPings", ten, answers});
}

// --- 5: fragments ------------------------------------------------------------------------------

void add_fragments(Cases& cases) {
  const ClientFrame first{.opcode = 1, .payload = "frag", .is_final = false};
  const ClientFrame middle{.opcode = 0, .payload = "men", .is_final = false};
  const ClientFrame last{.opcode = 0, .payload = "ts"};
  const ClientFrame ping{.opcode = 9, .payload = "p"};
  const ClientFrame pong{.opcode = 10, .payload = "q"};
  cases.push_back({"TwoFragments", frames({first, last}), {"text fragts"}});
  cases.push_back({"ThreeFragments", frames({first, middle, last}), {"text fragments"}});
  cases.push_back({"PingBetween",
                   frames({first, ping, middle, pong, last}),
                   {"ping p", "pong q", "text fragments"}});
  cases.push_back(
      {"PingInFront", frames({ping, first, last, pong}), {"ping p", "text fragts", "pong q"}});
  cases.push_back(
      {"EmptyFragments",
       frames({{.opcode = 1, .is_final = false}, {.opcode = 0, .is_final = false}, {.opcode = 0}}),
       {"text "}});
  cases.push_back({"OnlyTheMiddleHasBytes",
                   frames({{.opcode = 2, .is_final = false},
                           {.opcode = 0, .payload = "mid", .is_final = false},
                           {.opcode = 0}}),
                   {"bytes mid"}});
  cases.push_back({"LastWithoutFirst", frames({last}), {"fault 1002"}});
  cases.push_back({"MiddleWithoutFirst", frames({middle, last}), {"fault 1002"}});
  cases.push_back({"LastTwice", frames({first, last, last}), {"text fragts", "fault 1002"}});
  cases.push_back({"TextWithinText", frames({first, text_frame("x")}), {"fault 1002"}});
  cases.push_back({"BytesWithinText", frames({first, binary_frame("x")}), {"fault 1002"}});
  cases.push_back(
      {"FirstWithinBytes", frames({{.opcode = 2, .is_final = false}, first}), {"fault 1002"}});
  cases.push_back({"CloseBetween", frames({first, close_frame_of(1000), last}), {"close 1000 "}});
  for (const std::size_t piece : {1, 7, 125, 126, 1024, 65536}) {
    const std::string text = repeated("0123456789", 70000);
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      bytes += bytes_of({.opcode = at == 0 ? 1U : 0U,
                         .payload = text.substr(at, piece),
                         .is_final = at + piece >= text.size()});
    }
    cases.push_back({fmt::format("FragmentsOf{}", piece), bytes, {"text " + shown(text)}});
  }
}

// --- 6: UTF-8 ----------------------------------------------------------------------------------

constexpr std::string_view kTexts[] = {
    "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!",
    "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5",
    std::string_view("\0", 1),
    "\xc2\x80",
    "\xe0\xa0\x80",
    "\xf0\x90\x80\x80",
    "\x7f",
    "\xdf\xbf",
    "\xef\xbf\xbf",
    "\xf4\x8f\xbf\xbf",
    "\xed\x9f\xbf",
    "\xee\x80\x80",
    "\xef\xbf\xbd",
    "\xef\xbf\xbe",
    "\xf0\x9f\xbf\xbe",
};

constexpr std::string_view kNoTexts[] = {
    "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80"
    "edited",
    "\x80",
    "\xbf",
    "\x80\xbf",
    "\xfe",
    "\xff",
    "\xc0\xaf",
    "\xc1\xbf",
    "\xe0\x80\xaf",
    "\xe0\x9f\xbf",
    "\xf0\x80\x80\xaf",
    "\xf0\x8f\xbf\xbf",
    "\xf8\x88\x80\x80\x80",
    "\xfc\x84\x80\x80\x80\x80",
    "\xf4\x90\x80\x80",
    "\xf5\x80\x80\x80",
    "\xed\xa0\x80",
    "\xed\xbf\xbf",
    "\xed\xa0\x80\xed\xb0\x80",
    "\xe1\x28\x80",
    "\xe1\x80\x28",
    "12345678\xff"
    "12345678",
};

constexpr std::string_view kCutTexts[] = {"\xc2",         "\xe1\xbd", "\xf0\x90",
                                          "\xf0\x90\x80", "\xe0",     "ascii \xce"};

void add_utf8(Cases& cases) {
  const auto in_fragments = [](std::string_view text, std::size_t piece) {
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      bytes += bytes_of({.opcode = at == 0 ? 1U : 0U,
                         .payload = std::string(text.substr(at, piece)),
                         .is_final = at + piece >= text.size()});
    }
    return bytes;
  };
  int number = 0;
  for (const std::string_view text : kTexts) {
    const std::vector<std::string> expected{"text " + shown(text)};
    ++number;
    cases.push_back({fmt::format("Utf8N{}", number), in_fragments(text, text.size()), expected});
    cases.push_back({fmt::format("Utf8N{}ByByte", number), in_fragments(text, 1), expected});
  }
  number = 0;
  for (const std::string_view text : kNoTexts) {
    ++number;
    cases.push_back(
        {fmt::format("NoUtf8N{}", number), in_fragments(text, text.size()), {"fault 1007"}});
    cases.push_back(
        {fmt::format("NoUtf8N{}ByByte", number), in_fragments(text, 1), {"fault 1007"}});
    cases.push_back({fmt::format("NoUtf8N{}AsBytes", number),
                     bytes_of(binary_frame(std::string(text))),
                     {"bytes " + shown(text)}});
  }
  number = 0;
  for (const std::string_view text : kCutTexts) {
    ++number;
    cases.push_back(
        {fmt::format("CutUtf8N{}", number), in_fragments(text, text.size()), {"fault 1007"}});
    cases.push_back(
        {fmt::format("CutUtf8N{}ByByte", number), in_fragments(text, 1), {"fault 1007"}});
  }
}

// The UTF-8 form of a number, whether or not that is a character.
std::string utf8_of(unsigned number) {
  const auto byte = [](unsigned value) {
    return static_cast<char>(static_cast<unsigned char>(value));
  };
  const auto rest = [&](int shift) { return byte(0x80U | (number >> shift & 0x3FU)); };
  if (number < 0x80) return {byte(number)};
  if (number < 0x800) return {byte(0xC0U | number >> 6), rest(0)};
  if (number < 0x10000) return {byte(0xE0U | number >> 12), rest(6), rest(0)};
  return {byte(0xF0U | number >> 18), rest(12), rest(6), rest(0)};
}

void add_characters(Cases& cases) {
  std::vector<unsigned> characters = {0x7F,   0x80,   0x7FF,  0x800,   0xFFF,  0x1000,
                                      0xD7FF, 0xE000, 0xFFFD, 0x10000, 0x40000};
  // Noncharacters are characters here.
  for (unsigned plane = 0; plane <= 0x10; ++plane) {
    characters.push_back(plane << 16 | 0xFFFE);
    characters.push_back(plane << 16 | 0xFFFF);
  }
  for (const unsigned character : characters) {
    const std::string text = "a" + utf8_of(character) + "b";
    cases.push_back(
        {fmt::format("Character{:X}", character), bytes_of(text_frame(text)), {"text " + text}});
  }
  for (const unsigned number :
       {0xD800, 0xDB7F, 0xDB80, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF, 0x110000, 0x13FFFF, 0x1FFFFF}) {
    cases.push_back({fmt::format("NoCharacter{:X}", number),
                     bytes_of(text_frame("a" + utf8_of(number) + "b")),
                     {"fault 1007"}});
  }
}

// --- 7: Close ------------------------------------------------------------------------------------

void add_closes(Cases& cases) {
  cases.push_back({"CloseWithoutCode", frames({{.opcode = 8}}), {"close 1005 "}});
  cases.push_back(
      {"CloseWithHalfACode", frames({{.opcode = 8, .payload = "\x03"}}), {"fault 1002"}});
  for (const int code : {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
                         3000, 3999, 4000, 4999}) {
    cases.push_back({fmt::format("CloseCode{}", code),
                     frames({close_frame_of(code)}),
                     {fmt::format("close {} ", code)}});
    cases.push_back({fmt::format("CloseCode{}WithAReason", code),
                     frames({close_frame_of(code, "gr\xc3\xbcnde")}),
                     {fmt::format("close {} gr\xc3\xbcnde", code)}});
  }
  for (const int code : {0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}) {
    cases.push_back(
        {fmt::format("NoCloseCode{}", code), frames({close_frame_of(code)}), {"fault 1002"}});
  }
  const std::string longest(123, '*');
  cases.push_back({"CloseWithTheLongestReason",
                   frames({close_frame_of(1000, longest)}),
                   {"close 1000 " + shown(longest)}});
  int number = 0;
  for (const std::string_view reason : {"\xff", "\xc2", "a\xed\xa0\x80"}) {
    cases.push_back({fmt::format("CloseReasonN{}IsNoUtf8", ++number),
                     frames({close_frame_of(1000, reason)}),
                     {"fault 1007"}});
  }
  for (const ClientFrame& behind : {text_frame("late"), close_frame_of(1001),
                                    ClientFrame{.opcode = 9}, ClientFrame{.opcode = 5}}) {
    cases.push_back({fmt::format("Opcode{}BehindAClose", behind.opcode),
                     frames({text_frame("a"), close_frame_of(1000), behind}),
                     {"text a", "close 1000 "}});
  }
}

// --- 9: sizes -----------------------------------------------------------------------------------

void add_limits(Cases& cases) {
  const std::string most = repeated("0123456789abcdef", kMessageBytesMax);
  cases.push_back({"TheLargestMessage", bytes_of(binary_frame(most)), {"bytes " + shown(most)}});
  cases.push_back({"OneByteMore", bytes_of(binary_frame(most + "x")), {"fault 1009"}});
  cases.push_back(
      {"OneByteMoreInFragments",
       frames({{.opcode = 2, .payload = most, .is_final = false}, {.opcode = 0, .payload = "x"}}),
       {"fault 1009"}});
  cases.push_back({"OneByteMoreInNone",
                   frames({{.opcode = 2, .payload = most, .is_final = false}, {.opcode = 0}}),
                   {"bytes " + shown(most)}});
  // Known from the head.
  cases.push_back(
      {"TheLargestLength", "\x82\xff\x7f" + std::string(7, '\xff') + "mask", {"fault 1009"}});
}

void add_large_messages(Cases& cases) {
  for (const std::size_t size : {65536, 262144}) {
    for (const std::size_t piece : {64, 256, 1024, 4096, 16384, 65536}) {
      for (const unsigned opcode : {1, 2}) {
        const std::string payload = repeated("0123456789 \xc3\xbc", size / 13 * 13);
        std::string bytes;
        for (std::size_t at = 0; at < payload.size(); at += piece) {
          bytes += bytes_of({.opcode = at == 0 ? opcode : 0U,
                             .payload = payload.substr(at, piece),
                             .is_final = at + piece >= payload.size()});
        }
        cases.push_back(
            {fmt::format("{}Of{}InFragmentsOf{}", opcode == 1 ? "Text" : "Bytes", size, piece),
             bytes,
             {(opcode == 1 ? "text " : "bytes ") + shown(payload)}});
      }
    }
  }
}

// What a continuation may not say of itself.
void add_malformed_continuations(Cases& cases) {
  const std::string first = bytes_of({.opcode = 1, .payload = "a", .is_final = false});
  for (unsigned rsv = 1; rsv < 8; ++rsv) {
    cases.push_back({fmt::format("Rsv{}OfAContinuation", rsv),
                     first + bytes_of({.opcode = 0, .payload = "b", .rsv = rsv}),
                     {"fault 1002"}});
  }
  for (const unsigned opcode : {3, 7, 11, 15}) {
    cases.push_back({fmt::format("Opcode{}WithinAMessage", opcode),
                     first + bytes_of({.opcode = opcode}),
                     {"fault 1002"}});
  }
  cases.push_back({"UnmaskedContinuation",
                   first + bytes_of({.opcode = 0, .is_masked = false}),
                   {"fault 1002"}});
}

Cases all_cases() {
  Cases cases;
  add_framing(cases);
  add_malformed_frames(cases);
  add_pings(cases);
  add_fragments(cases);
  add_utf8(cases);
  add_characters(cases);
  add_large_messages(cases);
  add_malformed_continuations(cases);
  add_closes(cases);
  add_limits(cases);
  return cases;
}

class MessageReaderTable : public ::testing::TestWithParam<Case> {};

TEST_P(MessageReaderTable, IsReadHoweverItIsCut) {
  const Case& row = GetParam();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{5},
                                  std::size_t{13}, std::size_t{4096}, row.sent.size()}) {
    if (row.sent.size() / piece > 200'000) continue;
    EXPECT_EQ(read(row.sent, piece), row.events) << "in pieces of " << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, MessageReaderTable, ::testing::ValuesIn(all_cases()),
                         [](const auto& row) { return row.param.name; });

TEST(MessageReader, FindsAFaultBeforeTheMessageIsComplete) {
  const std::string whole = bytes_of(text_frame("\xce\xba\xed\xa0\x80 and much that never comes"));
  EXPECT_EQ(read(std::string_view(whole).substr(0, 6 + 4), 1),
            std::vector<std::string>{"fault 1007"});
  const std::string large = bytes_of(binary_frame(std::string(kMessageBytesMax + 1, 'x')));
  EXPECT_EQ(read(std::string_view(large).substr(0, 14), 1), std::vector<std::string>{"fault 1009"});
}

TEST(MessageReader, KeepsNoMoreThanTheMessage) {
  MessageReader reader(kMessageBytesMax);
  const std::string sent = bytes_of({.opcode = 1, .payload = "abc", .is_final = false}) + "\x80";
  std::string_view bytes = sent;
  EXPECT_EQ(reader.next(bytes).kind, Kind::incomplete);
  EXPECT_EQ(reader.bytes_kept(), 3u);
}

}  // namespace
}  // namespace pyhost::websocket
