#include "remote/request_body.h"

namespace pyhost::remote {

using gateway::BodyFault;

base::Result<BodyFault> RequestBody::receive(const std::string& folder) {
  std::string piece;
  while (!complete_) {
    piece.resize(kBodyInMemoryMax);
    const gateway::BodyRead read = exchange_.read_body(piece);
    if (read.fault != BodyFault::none) return read.fault;
    complete_ = read.bytes == 0;
    piece.resize(read.bytes);
    PH_TRY_VOID(keep(piece, folder));
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

RequestBody::Piece RequestBody::next() {
  received_.resize(kBodyInMemoryMax);
  if (!file_.is_open()) {
    if (complete_) return {};
    const gateway::BodyRead read = exchange_.read_body(received_);
    complete_ = read.bytes == 0;
    return {std::string_view(received_).substr(0, read.bytes), read.fault};
  }
  const auto got = file_.read(file_offset_, received_);
  if (!got) return {{}, BodyFault::failed};
  file_offset_ += *got;
  return {std::string_view(received_).substr(0, *got), BodyFault::none};
}

}  // namespace pyhost::remote
