// Frames as a client sends them, right or wrong.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace pyhost::test {

struct ClientFrame {
  unsigned opcode = 1;
  std::string payload = {};
  bool is_final = true;
  unsigned rsv = 0;  // its three bits, RSV1 being 4
  bool is_masked = true;
  int length_bytes = -1;  // 0, 2 or 8; -1: the shortest
  std::array<unsigned char, 4> key = {0x37, 0xfa, 0x21, 0x3d};
};

inline std::string bytes_of(const ClientFrame& frame) {
  const std::size_t length = frame.payload.size();
  const int shortest = length < 126 ? 0 : length <= 0xFFFF ? 2 : 8;
  int length_bytes = frame.length_bytes < 0 ? shortest : frame.length_bytes;
  std::string bytes;
  const auto put = [&](std::uint64_t byte) {
    bytes.push_back(static_cast<char>(static_cast<unsigned char>(byte)));
  };
  put((frame.is_final ? 0x80U : 0U) | frame.rsv << 4U | frame.opcode);
  const std::uint64_t code = length_bytes == 0 ? length : length_bytes == 2 ? 126 : 127;
  put((frame.is_masked ? 0x80U : 0U) | code);
  while (length_bytes-- > 0) put(length >> (8U * unsigned(length_bytes)));
  if (!frame.is_masked) return bytes + frame.payload;
  for (const unsigned char byte : frame.key) put(byte);
  for (std::size_t i = 0; i < length; ++i) {
    put(static_cast<unsigned char>(frame.payload[i]) ^ frame.key[i % frame.key.size()]);
  }
  return bytes;
}

inline ClientFrame text_frame(std::string payload) {
  return {.opcode = 1, .payload = std::move(payload)};
}

inline ClientFrame binary_frame(std::string payload) {
  return {.opcode = 2, .payload = std::move(payload)};
}

inline ClientFrame close_frame_of(int code, std::string_view reason = {}) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)};
  return {.opcode = 8, .payload = payload.append(reason)};
}

}  // namespace pyhost::test
