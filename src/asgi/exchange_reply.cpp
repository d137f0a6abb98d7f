// The reply of an exchange: its events, and what of it leaves when.

#include <fmt/format.h>

#include <utility>

#include "asgi/event_fields.h"
#include "asgi/exchange.h"

namespace pyhost::asgi {

using base::LogLevel;
using base::Message;
using gateway::Offered;
using gateway::ReplyPart;
using python::Attached;
using python::DetachScope;

bool Exchange::take_start(Attached& py, PyObject* event) {
  auto start = response_start_of(parts_.names, event);
  if (!start) return false;
  if (const Verdict verdict =
          reply_.start(start->status(), start->content_length(),
                       start->announces_trailers() ? ReplyCourse::Trailers::follow
                                                   : ReplyCourse::Trailers::none)) {
    raise(*verdict);
    return false;
  }
  start_ = std::move(start);
  watch_.tell_response(py, start_->status(), event);
  if (!start_->dropped_header().empty()) {
    log_detached(py, LogLevel::debug, Message::connection_header_dropped,
                 fmt::format("the application has set the header '{}', which was dropped",
                             start_->dropped_header()));
  }
  if (start_->is_event_stream()) {
    release_head(py);
  } else {
    host_.hold_head(*this);
  }
  return true;
}

bool Exchange::take_body(Attached& py, PyObject* event) {
  const auto event_body = response_body_of(parts_.names, event);
  if (!event_body) return false;
  return send_bytes(py, event_body->body.bytes(),
                    event_body->more ? ReplyCourse::More::yes : ReplyCourse::More::no);
}

bool Exchange::send_bytes(Attached& py, std::string_view bytes, ReplyCourse::More more) {
  const auto [departure, refusal] = reply_.body(bytes.size(), more);
  if (departure) depart(py, *departure, bytes.substr(0, departure->bytes));
  if (!refusal) return true;
  raise(*refusal);
  return false;
}

void Exchange::release_head(Attached& py) {
  if (gone_ || channel_or_null_ == nullptr) return;
  if (const auto departure = reply_.release_head()) depart(py, *departure, {});
}

Offered Exchange::offer(Attached& py, ReplyPart part) {
  const bool ends = part.then == ReplyPart::Then::end;
  if (ends) part.figures = figures();
  const Offered offered = [&] {
    const DetachScope detached(py);
    // A reply's end is behind everything that belongs to its log.
    if (ends) logs_.flush();
    return channel_or_null_->offer(part);
  }();
  full_ = offered == Offered::full;
  if (offered == Offered::dropped || offered == Offered::superseded) client_has_left(py);
  return offered;
}

void Exchange::answer(Attached& py, int status) {
  ResponseStart start;
  static_cast<void>(start.set_status(status));
  watch_.note_status(status);
  static_cast<void>(reply_.start(status, 0));
  start_ = std::move(start);
  depart(py, *reply_.body(0, ReplyCourse::More::no).departure, {});
}

void Exchange::depart(Attached& py, const ReplyCourse::Departure& departure, std::string_view body,
                      const gateway::FileRange* file_or_null) {
  const bool ends = departure.then == ReplyPart::Then::end;
  gateway::ResponseHead head;
  ReplyPart part{.file = file_or_null, .then = departure.then};
  if (departure.head) {
    start_->annotate(notes_.take());
    head = start_->head();
    part.head = &head;
  }
  std::vector<gateway::Header> trailers;
  if (ends) {
    for (const auto& [name, value] : trailers_) trailers.push_back({name, value});
    part.trailers = trailers;
  }
  if (!body.empty()) part.blocks = {&body, 1};
  if (!body.empty()) watch_.count_output(body.size());
  offer(py, part);
  if (!ends) return;
  reply_has_ended();
  waiters_.wake(py, parts_);
}

}  // namespace pyhost::asgi
