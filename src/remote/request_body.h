// The request body on its way to a worker.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "pyhost/base/result.h"
#include "pyhost/gateway/client_exchange.h"
#include "remote/spool_file.h"

namespace pyhost::remote {

// Held in memory up to this size, and then sent along with the request.
inline constexpr std::size_t kBodyInMemoryMax = 64 * 1024;

// What Retry-After says to clients that are answered 503.
inline constexpr unsigned kRetryAfterSeconds = 1;

// One request's; used by the thread that serves it. Can be read once.
class RequestBody {
 public:
  explicit RequestBody(gateway::ClientExchange& exchange) noexcept
      : exchange_(exchange), complete_(exchange.head().content_length == 0) {}

  // Receives all of it before `script` is run, and tells the exchange how much that is; what does
  // not fit in memory goes to an unlinked file in `folder`. When it fails, gives what the client is
  // to be answered; the request's log says why.
  std::optional<gateway::Outcome> receive(const std::string& folder, std::string_view script);

  // The whole body, when it is here and small.
  std::string_view in_memory() const noexcept {
    return file_.is_open() ? std::string_view() : std::string_view(received_);
  }
  // Whether pieces have to follow the request.
  bool follows() const noexcept { return !complete_ || file_.is_open(); }

  // Whether the client still has to be read.
  bool awaits_client() const noexcept { return !complete_; }

  // The next piece, valid until the next call; empty at the end. A body that was not received
  // before comes from the client now, which may block.
  struct Piece {
    std::string_view bytes;
    gateway::BodyFault fault = gateway::BodyFault::none;
  };
  Piece next();
  // The same without waiting for the client; nothing when none of it is here.
  std::optional<Piece> next_now();
  // The client has had its time.
  Piece give_up() noexcept;
  // The fault that these have given.
  gateway::BodyFault fault() const noexcept { return fault_; }

  // What a reader in this process gets in place of next(), once the body was received: 0 bytes are
  // its end.
  gateway::BodyRead read(std::span<char> into) noexcept;

 private:
  Piece piece_of(const gateway::BodyRead& read) noexcept;
  Piece next_of_file();
  base::Result<gateway::BodyFault> receive_whole(const std::string& folder);
  base::Result<> keep(std::string_view piece, const std::string& folder);

  gateway::ClientExchange& exchange_;
  bool complete_;
  std::string received_;  // or the buffer for pieces
  gateway::BodyFault fault_ = gateway::BodyFault::none;
  SpoolFile file_;
  std::size_t memory_offset_ = 0;  // of what read() gives next
  std::uint64_t file_bytes_ = 0;   // in the file
  std::uint64_t file_offset_ = 0;  // of the next piece
};

}  // namespace pyhost::remote
