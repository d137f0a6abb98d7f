#include "worker/outgoing_frames.h"

#include <fcntl.h>

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

// A descriptor leaves with the first byte, so whatever has not left keeps one.
void OutgoingFrames::keep_file(const wire::FrameBatch& batch) {
  if (batch.file() < 0) return kept_file_.reset();
  if (batch.file() != kept_file_.get()) {
    kept_file_ = base::UniqueFd(::fcntl(batch.file(), F_DUPFD_CLOEXEC, 0));
  }
}

Io OutgoingFrames::send(wire::Connection& connection) {
  if (!kept_.empty()) {
    const int file = kept_file_.valid() ? kept_file_.get() : batch_.file();
    move_rest(batch_, kept_);
    batch_.encoded() = std::exchange(kept_, {});
    batch_.attach_file(file);
  }
  const Io outcome = connection.write_some(batch_);
  if (outcome != Io::timeout) {
    clear();
    return outcome;
  }
  const bool has_file = batch_.file() >= 0;
  keep_file(batch_);
  move_rest(batch_, kept_);
  return has_file && !kept_file_.valid() ? Io::reset : outcome;
}

void OutgoingFrames::clear() noexcept {
  batch_.clear();
  kept_.clear();
  kept_file_.reset();
}

}  // namespace pyhost::worker
