#include "websocket/inflater.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

namespace pyhost::websocket {
namespace {

// As large as any client's window may be; negative: without zlib's header.
constexpr int kWindowBits = -15;
constexpr std::size_t kWindowBytes = 32 * 1024;

// What a sender leaves out at the end of each message.
constexpr std::string_view kEnd("\0\0\xff\xff", 4);

// Text grows by so much at a time.
constexpr std::size_t kStepBytes = 16 * 1024;

}  // namespace

void Inflater::End::operator()(z_stream_s* stream) const noexcept {
  inflateEnd(stream);
  delete stream;
}

// What zlib has no memory for fails as what our own has none for.
bool Inflater::begin() {
  if (stream_) return true;
  auto stream = std::make_unique<z_stream_s>();
  const int status = inflateInit2(stream.get(), kWindowBits);
  if (status == Z_MEM_ERROR) throw std::bad_alloc();
  if (status != Z_OK) return false;
  stream_.reset(stream.release());
  return true;
}

// A sender may end a stream with a message (RFC 7692, 7.2.3.5), and refer to it later.
bool Inflater::begin_next_stream() {
  std::array<Bytef, kWindowBytes> window;
  uInt size = 0;
  return inflateGetDictionary(stream_.get(), window.data(), &size) == Z_OK &&
         inflateReset(stream_.get()) == Z_OK &&
         (size == 0 || inflateSetDictionary(stream_.get(), window.data(), size) == Z_OK);
}

Inflater::Result Inflater::run(std::string& text, std::size_t bytes_max) {
  z_stream_s& stream = *stream_;
  while (true) {
    const std::size_t before = text.size();
    const std::size_t room = std::min(kStepBytes, bytes_max - before + 1);
    text.resize(before + room);
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + before);
    stream.avail_out = static_cast<uInt>(room);
    const int status = ::inflate(&stream, Z_SYNC_FLUSH);
    text.resize(before + room - stream.avail_out);
    if (text.size() > bytes_max) return Result::too_large;
    if (status == Z_MEM_ERROR) throw std::bad_alloc();
    if (status == Z_STREAM_END) {
      if (!begin_next_stream()) return Result::malformed;
      if (stream.avail_in == 0) return Result::done;
      continue;
    }
    if (status != Z_OK && status != Z_BUF_ERROR) return Result::malformed;
    if (stream.avail_out != 0) return Result::done;
  }
}

Inflater::Result Inflater::inflate(std::string_view deflated, std::string& text,
                                   std::size_t bytes_max) {
  if (!begin()) return Result::malformed;
  stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(deflated.data()));
  stream_->avail_in = static_cast<uInt>(deflated.size());
  return run(text, bytes_max);
}

Inflater::Result Inflater::end_message(std::string& text, std::size_t bytes_max) {
  const Result result = inflate(kEnd, text, bytes_max);
  if (result == Result::done && context_ == Context::of_each_message) stream_.reset();
  return result;
}

}  // namespace pyhost::websocket
