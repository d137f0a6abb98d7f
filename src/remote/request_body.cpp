#include "remote/request_body.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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
    if (!file_.valid() && received_.size() + piece.size() > kBodyInMemoryMax) {
      PH_TRY_VOID(move_to_file(folder));
    }
    if (file_.valid()) {
      PH_TRY_VOID(append_to_file(piece));
    } else {
      received_ += piece;
    }
  }
  return BodyFault::none;
}

base::Result<> RequestBody::move_to_file(const std::string& folder) {
  std::string path = folder + "/pyhost-body-XXXXXX";
  file_.reset(::mkostemp(path.data(), O_CLOEXEC));
  if (!file_.valid()) {
    return base::fail(
        fmt::format("a request body cannot be buffered in {}: {}", folder, std::strerror(errno)));
  }
  ::unlink(path.c_str());
  return append_to_file(received_);
}

base::Result<> RequestBody::append_to_file(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      return base::fail(
          fmt::format("a request body cannot be buffered in a file: {}", std::strerror(errno)));
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

RequestBody::Piece RequestBody::next() {
  received_.resize(kBodyInMemoryMax);
  if (!file_.valid()) {
    if (complete_) return {};
    const gateway::BodyRead read = exchange_.read_body(received_);
    complete_ = read.bytes == 0;
    return {std::string_view(received_).substr(0, read.bytes), read.fault};
  }
  const ssize_t got =
      ::pread(file_.get(), received_.data(), received_.size(), static_cast<off_t>(file_offset_));
  if (got < 0) return {{}, BodyFault::failed};
  file_offset_ += static_cast<std::uint64_t>(got);
  return {std::string_view(received_).substr(0, static_cast<std::size_t>(got)), BodyFault::none};
}

}  // namespace pyhost::remote
