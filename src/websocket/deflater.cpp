#include "websocket/deflater.h"

#include <zlib.h>

#include <new>

namespace pyhost::websocket {
namespace {

constexpr int kMemoryLevel = 5;

// A flush leaves these behind each message, which are not sent.
constexpr std::size_t kEndBytes = 4;

// zlib counts in 32 bits.
constexpr std::size_t kPieceBytesMax = 1U << 30U;

constexpr std::size_t kStepBytesMin = 256;

}  // namespace

void Deflater::End::operator()(z_stream_s* stream) const noexcept {
  deflateEnd(stream);
  delete stream;
}

void Deflater::begin() {
  if (stream_) return;
  auto stream = std::make_unique<z_stream_s>();
  const int status = deflateInit2(stream.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, -window_bits_,
                                  kMemoryLevel, Z_DEFAULT_STRATEGY);
  if (status != Z_OK) throw std::bad_alloc();
  stream_.reset(stream.release());
}

std::string Deflater::deflate(std::string_view text) {
  begin();
  z_stream_s& stream = *stream_;
  std::string deflated;
  do {
    const std::string_view piece = text.substr(0, kPieceBytesMax);
    text.remove_prefix(piece.size());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
    stream.avail_in = static_cast<uInt>(piece.size());
    do {
      const std::size_t before = deflated.size();
      const std::size_t room = kStepBytesMin + stream.avail_in / 2;
      deflated.resize(before + room);
      stream.next_out = reinterpret_cast<Bytef*>(deflated.data() + before);
      stream.avail_out = static_cast<uInt>(room);
      ::deflate(&stream, text.empty() ? Z_SYNC_FLUSH : Z_NO_FLUSH);
      deflated.resize(before + room - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (!text.empty());
  // An empty one behind another flush leaves nothing, where there has to be a block.
  deflated.resize(deflated.size() < kEndBytes ? 1 : deflated.size() - kEndBytes);
  if (context_ == Context::of_each_message) stream_.reset();
  return deflated;
}

}  // namespace pyhost::websocket
