// Compressed messages for a client (RFC 7692, 7.2.1).
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace pyhost::websocket {

// Shorter messages are not worth it.
inline constexpr std::size_t kDeflatedBytesMin = 64;

class Deflater {
 public:
  enum class Context { kept, of_each_message };
  // `window_bits` is from 9 to 15. Memory is taken with the first message: 64 KiB for 12 bits.
  Deflater(int window_bits, Context context) noexcept
      : window_bits_(window_bits), context_(context) {}

  // The payload of a message with that text. Each is what the last one has left to refer to, so all
  // are to be sent, in order.
  std::string deflate(std::string_view text);

 private:
  struct End {
    void operator()(z_stream_s* stream) const noexcept;
  };

  void begin();

  int window_bits_;
  Context context_;
  std::unique_ptr<z_stream_s, End> stream_;
};

}  // namespace pyhost::websocket
