#include "worker/outgoing_frames.h"

#include <array>
#include <utility>

namespace pyhost::worker {

using wire::Io;

void OutgoingFrames::move_rest(wire::FrameBatch& batch, std::string& into) {
  std::array<iovec, 16> storage;
  for (auto pieces = batch.unsent(storage); !pieces.empty(); pieces = batch.unsent(storage)) {
    std::size_t bytes = 0;
    for (const iovec& piece : pieces) {
      into.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
      bytes += piece.iov_len;
    }
    batch.mark_sent(bytes);
  }
  batch.clear();
}

Io OutgoingFrames::send(wire::Connection& connection) {
  if (!kept_.empty()) {
    move_rest(batch_, kept_);
    batch_.encoded() = std::exchange(kept_, {});
  }
  const Io outcome = connection.write_some(batch_);
  if (outcome == Io::timeout) {
    move_rest(batch_, kept_);
  } else {
    batch_.clear();
  }
  return outcome;
}

void OutgoingFrames::clear() noexcept {
  batch_.clear();
  kept_.clear();
}

}  // namespace pyhost::worker
