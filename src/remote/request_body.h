// The request body on its way to a worker.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"
#include "pyhost/gateway/exchange.h"
#include "remote/spool_file.h"

namespace pyhost::remote {

// Held in memory up to this size, and then sent along with the request.
inline constexpr std::size_t kBodyInMemoryMax = 64 * 1024;

// One request's; used by the thread that serves it. Can be read once.
class RequestBody {
 public:
  explicit RequestBody(gateway::Exchange& exchange) noexcept
      : exchange_(exchange), complete_(exchange.head().content_length == 0) {}

  // Receives all of it before a worker is asked; what does not fit in memory goes to an unlinked
  // file in `folder`. The fault is the client's, the error the file's.
  base::Result<gateway::BodyFault> receive(const std::string& folder);

  // The whole body, when it is here and small.
  std::string_view in_memory() const noexcept {
    return file_.is_open() ? std::string_view() : std::string_view(received_);
  }
  // Whether pieces have to follow the request.
  bool follows() const noexcept { return !complete_ || file_.is_open(); }

  // The next piece, valid until the next call; empty at the end. A body that was not received
  // before comes from the client now, which may block.
  struct Piece {
    std::string_view bytes;
    gateway::BodyFault fault = gateway::BodyFault::none;
  };
  Piece next();

 private:
  base::Result<> keep(std::string_view piece, const std::string& folder);

  gateway::Exchange& exchange_;
  bool complete_;
  std::string received_;  // or the buffer for pieces
  SpoolFile file_;
  std::uint64_t file_bytes_ = 0;   // in the file
  std::uint64_t file_offset_ = 0;  // of the next piece
};

}  // namespace pyhost::remote
