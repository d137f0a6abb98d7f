#include "websocket/mask.h"

#include <cstring>

namespace pyhost::websocket {

// The key repeats itself every four bytes, so a word that begins anywhere has the same one as all
// words behind it.
void unmask(std::span<char> bytes, const MaskKey& key, std::uint64_t offset) noexcept {
  std::array<std::uint8_t, sizeof(std::uint64_t)> turned{};
  for (std::size_t i = 0; i < turned.size(); ++i) turned[i] = key[(offset + i) % key.size()];
  std::uint64_t mask = 0;
  std::memcpy(&mask, turned.data(), sizeof mask);
  std::size_t done = 0;
  for (; bytes.size() - done >= sizeof mask; done += sizeof mask) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + done, sizeof word);
    word ^= mask;
    std::memcpy(bytes.data() + done, &word, sizeof word);
  }
  for (std::size_t i = 0; done + i < bytes.size(); ++i) {
    bytes[done + i] = static_cast<char>(static_cast<std::uint8_t>(bytes[done + i]) ^ turned[i]);
  }
}

}  // namespace pyhost::websocket
