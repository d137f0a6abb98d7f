// Texts in shared memory, word by word.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "scoreboard/word.h"

namespace pyhost::scoreboard {

using TextWord = Word<std::uint64_t>;

// PRECONDITION: `words` have room for it. Whoever has read one of the words sees what was written
// before them, so that a reader can tell whether the text is still that of whom it has asked for.
inline void write_text(std::span<TextWord> words, std::string_view text) noexcept {
  std::uint64_t word = 0;
  std::size_t at = 0;
  for (; text.size() - at >= sizeof word; at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    words[at / sizeof word].store(word, std::memory_order_release);
  }
  if (at == text.size()) return;
  word = 0;
  std::memcpy(&word, text.data() + at, text.size() - at);
  words[at / sizeof word].store(word, std::memory_order_release);
}

// At most as many bytes as there is room for, whatever the length is.
inline std::string read_text(std::span<const TextWord> words, std::uint64_t bytes) {
  std::string text(std::min<std::uint64_t>(bytes, words.size_bytes()), '\0');
  for (std::size_t at = 0; at < text.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = words[at / sizeof word].load(std::memory_order_acquire);
    std::memcpy(text.data() + at, &word, std::min(text.size() - at, sizeof word));
  }
  return text;
}

}  // namespace pyhost::scoreboard
