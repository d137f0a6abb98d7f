// Compressed messages of a client (RFC 7692, 7.2.2).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct z_stream_s;

namespace pyhost::websocket {

class Inflater {
 public:
  enum class Context { kept, of_each_message };
  // Memory is taken when there is something to inflate.
  explicit Inflater(Context context) noexcept : context_(context) {}

  enum class Result {
    done,
    malformed,
    too_large,  // there are more than `bytes_max`; one of the others is there
  };
  // Puts what `deflated` comes to behind `text`, which is not to become larger than `bytes_max`.
  Result inflate(std::string_view deflated, std::string& text, std::size_t bytes_max);
  // Behind the last piece of a message.
  Result end_message(std::string& text, std::size_t bytes_max);

 private:
  struct End {
    void operator()(z_stream_s* stream) const noexcept;
  };

  bool begin();
  Result run(std::string& text, std::size_t bytes_max);
  bool begin_next_stream();

  Context context_;
  std::unique_ptr<z_stream_s, End> stream_;
};

}  // namespace pyhost::websocket
