// What is sent over a connection without waiting for its other end.
#pragma once

#include <string>
#include <string_view>

#include "pyhost/base/unique_fd.h"
#include "wire/connection.h"
#include "wire/frame_batch.h"

namespace pyhost::worker {

// Sends frames as far as they go at once, and keeps a copy of the rest, which goes before whatever
// is sent later. Not synchronised.
class OutgoingFrames {
 public:
  // The frames to send next: for the encode_*() functions, and for bodies, which need not stay
  // behind the next send().
  wire::FrameBatch& batch() noexcept { return batch_; }

  // Sends what is kept, and the batch behind it, which is empty then. Io::timeout when something is
  // kept. After any other outcome but `done` the connection is of no use.
  wire::Io send(wire::Connection& connection);
  std::size_t bytes_kept() const noexcept { return kept_.size(); }
  // Whether a file of the batch is kept: another one may only be attached when it has left.
  bool keeps_file() const noexcept { return kept_file_.valid(); }

  void clear() noexcept;

 private:
  static void move_rest(wire::FrameBatch& batch, std::string& into);

  void keep_file(const wire::FrameBatch& batch);

  wire::FrameBatch batch_;
  std::string kept_;
  base::UniqueFd kept_file_;  // a duplicate
};

}  // namespace pyhost::worker
