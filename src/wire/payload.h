// Writing and reading the payloads of frames: numbers, texts, and nothing that trusts its input.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace pyhost::wire {

// Appends to a buffer that the caller owns and may reuse.
class PayloadWriter {
 public:
  explicit PayloadWriter(std::string& out) noexcept : out_(out) {}

  template <class T>
  requires std::integral<T>
  void number(T value) { out_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void flag(bool value) { number(static_cast<std::uint8_t>(value)); }
  void text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    out_.append(value);
  }

 private:
  std::string& out_;
};

// Takes a payload apart. After the first read that does not fit, every further one gives zero or
// nothing and ok() is false: callers check once, at the end. Texts are views into the payload.
class PayloadReader {
 public:
  explicit PayloadReader(std::string_view payload) noexcept : rest_(payload) {}

  template <class T>
  requires std::integral<T> T number()
  noexcept {
    T value{};
    const std::string_view bytes = take(sizeof value);
    if (ok_) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  // Anything but 0 and 1 is an error.
  bool flag() noexcept { return up_to<std::uint8_t>(1) != 0; }
  // A number that may not be larger than `max`.
  template <class T>
  requires std::integral<T> T up_to(T max)
  noexcept {
    const T value = number<T>();
    if (value > max) ok_ = false;
    return ok_ ? value : T{};
  }
  // How many elements of at least `bytes_min` follow. A count that promises more than there are
  // bytes is an error, so that nothing is allocated for it.
  std::uint32_t count(std::size_t bytes_min) noexcept {
    const auto count = number<std::uint32_t>();
    if (count > rest_.size() / bytes_min) ok_ = false;
    return ok_ ? count : 0;
  }
  std::string_view text() noexcept { return take(number<std::uint32_t>()); }
  // What is left, whatever it is.
  std::string_view rest() noexcept { return take(rest_.size()); }

  bool ok() const noexcept { return ok_; }
  // Whether everything fitted and nothing is left over.
  bool complete() const noexcept { return ok_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t bytes) noexcept {
    if (!ok_ || bytes > rest_.size()) {
      ok_ = false;
      return {};
    }
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace pyhost::wire
