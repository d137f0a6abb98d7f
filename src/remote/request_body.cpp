#include "remote/request_body.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "pyhost/gateway/http_status.h"

namespace pyhost::remote {

using base::LogLevel;
using base::Message;
using gateway::BodyFault;
using gateway::Outcome;

std::optional<Outcome> RequestBody::receive(const std::string& folder, std::string_view script) {
  const auto fault = receive_whole(folder);
  if (!fault) {
    exchange_.log(LogLevel::error, Message::spool_failed,
                  fmt::format("{}, for the body of a request; {} was not run",
                              fault.error().sentence, script));
    return Outcome{.kind = Outcome::Kind::refused,
                   .status = gateway::kServiceUnavailable,
                   .retry_after_seconds = kRetryAfterSeconds,
                   .failure = gateway::FailureCause::spool_failed};
  }
  if (*fault != BodyFault::none) {
    exchange_.log(LogLevel::info, Message::client_fault,
                  fmt::format("{}; {} was not run", describe(*fault), script));
    return Outcome{.kind = Outcome::Kind::refused,
                   .status = status_of(*fault),
                   .failure = gateway::FailureCause::upload};
  }
  exchange_.note_received_body(file_.is_open() ? file_bytes_ : received_.size());
  return std::nullopt;
}

base::Result<BodyFault> RequestBody::receive_whole(const std::string& folder) {
  if (complete_) return BodyFault::none;
  const auto buffer = std::make_unique_for_overwrite<char[]>(kBodyInMemoryMax);
  std::size_t filled = 0;
  while (!complete_) {
    const gateway::BodyRead read =
        exchange_.read_body({buffer.get() + filled, kBodyInMemoryMax - filled});
    if (read.fault != BodyFault::none) return read.fault;
    complete_ = read.bytes == 0;
    filled += read.bytes;
    if (!complete_ && filled < kBodyInMemoryMax) continue;
    PH_TRY_VOID(keep({buffer.get(), std::exchange(filled, 0)}, folder));
  }
  return BodyFault::none;
}

base::Result<> RequestBody::keep(std::string_view piece, const std::string& folder) {
  if (!file_.is_open() && received_.size() + piece.size() <= kBodyInMemoryMax) {
    received_ += piece;
    return {};
  }
  if (!file_.is_open()) {
    PH_TRY_VOID(file_.open(folder));
    PH_TRY_VOID(file_.write(0, received_));
    file_bytes_ = received_.size();
  }
  PH_TRY_VOID(file_.write(file_bytes_, piece));
  file_bytes_ += piece.size();
  return {};
}

RequestBody::Piece RequestBody::piece_of(const gateway::BodyRead& read) noexcept {
  complete_ = read.bytes == 0;
  fault_ = read.fault;
  return {std::string_view(received_).substr(0, read.bytes), read.fault};
}

RequestBody::Piece RequestBody::next_of_file() {
  received_.resize(kBodyInMemoryMax);
  const auto got = file_.read(file_offset_, received_);
  if (!got) return {{}, BodyFault::failed};
  file_offset_ += *got;
  return {std::string_view(received_).substr(0, *got), BodyFault::none};
}

RequestBody::Piece RequestBody::next() {
  if (file_.is_open()) return next_of_file();
  if (complete_) return {};
  received_.resize(kBodyInMemoryMax);
  return piece_of(exchange_.read_body(received_));
}

std::optional<RequestBody::Piece> RequestBody::next_now() {
  if (file_.is_open() || complete_) return next();
  received_.resize(kBodyInMemoryMax);
  const auto read = exchange_.read_body_now(received_);
  return read ? std::optional(piece_of(*read)) : std::nullopt;
}

RequestBody::Piece RequestBody::give_up() noexcept {
  return piece_of({.bytes = 0, .fault = BodyFault::too_slow});
}

gateway::BodyRead RequestBody::read(std::span<char> into) noexcept {
  if (!file_.is_open()) {
    const std::size_t bytes = received_.copy(into.data(), into.size(), memory_offset_);
    memory_offset_ += bytes;
    return {.bytes = bytes};
  }
  const auto got = file_.read(file_offset_, into);
  if (!got) return {.bytes = 0, .fault = BodyFault::failed};
  file_offset_ += *got;
  return {.bytes = *got};
}

}  // namespace pyhost::remote
