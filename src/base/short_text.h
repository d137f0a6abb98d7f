// Texts for where there is no memory.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace pyhost::base {

// A text that needs none. What does not fit is cut off.
class ShortText {
 public:
  template <class... Args>
  explicit ShortText(fmt::format_string<Args...> format, Args&&... args) {
    size_ = fmt::format_to_n(text_.data(), text_.size(), format, std::forward<Args>(args)...).size;
  }

  std::string_view view() const noexcept { return {text_.data(), std::min(size_, text_.size())}; }

 private:
  std::array<char, 512> text_;
  std::size_t size_;
};

}  // namespace pyhost::base
