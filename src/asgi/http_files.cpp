// How a request has httpd send files.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "asgi/event_fields.h"
#include "asgi/file_event.h"
#include "asgi/http_exchange.h"
#include "pyhost/gateway/sendable_file.h"

namespace pyhost::asgi {

using python::Attached;
using python::DetachScope;

namespace {

// The beginning of a range, at most `bytes_max` of it; nothing, with an exception pending, when it
// cannot be read.
std::optional<std::string> read_of(Attached& py, const gateway::FileRange& range,
                                   std::size_t bytes_max) {
  std::string bytes(std::min<std::uint64_t>(range.length, bytes_max), '\0');
  ssize_t got = 0;
  {
    const DetachScope detached(py);
    got = ::pread(range.fd, bytes.data(), bytes.size(), static_cast<off_t>(range.offset));
  }
  if (got == 0) PyErr_SetString(PyExc_OSError, "the file of the reply has become shorter");
  if (got < 0) PyErr_SetFromErrno(PyExc_OSError);
  if (got <= 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(got));
  return bytes;
}

}  // namespace

// The size of a file is known before any of it leaves.
bool HttpExchange::take_path(Attached& py, Send& call) {
  auto file = path_event_of(py, parts_.names, call.event.get());
  if (!file) return false;
  const auto promised = start_ ? start_->content_length() : std::nullopt;
  if (promised && *promised != file->length && !head().is_head) {
    raise(
        out_of_order(fmt::format("the file of http.response.pathsend has {} bytes, and the "
                                 "reply's Content-Length says {}",
                                 file->length, *promised)));
    return false;
  }
  return send_file(py, call, *std::move(file));
}

bool HttpExchange::take_file(Attached& py, Send& call) {
  auto file = file_event_of(py, parts_.names, call.event.get());
  return file && send_file(py, call, *std::move(file));
}

// Only so many files of a reply are sent by httpd; others are read here.
bool HttpExchange::send_file(Attached& py, Send& call, FileEvent file) {
  const bool is_sent_by_httpd = file.length == 0 || files_ < gateway::kReplyFilesMax;
  if (!is_sent_by_httpd) {
    call.file.emplace(std::move(file));
    return true;
  }
  const auto more = file.more ? ReplyCourse::More::yes : ReplyCourse::More::no;
  const auto [departure, refusal] = reply_.body(file.length, more);
  if (departure) {
    gateway::FileRange range = file.range();
    range.length = departure->bytes;
    if (range.length != 0) ++files_;
    depart(py, *departure, {}, range.length != 0 ? &range : nullptr);
  }
  if (!refusal) return true;
  raise(*refusal);
  return false;
}

// The next piece of a file that is read here. False with an exception pending.
bool HttpExchange::send_of_file(Attached& py, Send& call) {
  FileEvent& file = *call.file;
  const auto piece = read_of(py, file.range(), gateway::kChannelBytesHigh);
  if (!piece) return false;
  file.offset += piece->size();
  file.length -= piece->size();
  const bool more = file.length != 0 || file.more;
  if (file.length == 0) call.file.reset();
  return send_bytes(py, *piece, more ? ReplyCourse::More::yes : ReplyCourse::More::no);
}

}  // namespace pyhost::asgi
