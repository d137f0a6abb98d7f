#include "worker/reply_line.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/out_of_memory.h"

namespace pyhost::worker {

using base::LogLevel;
using base::Message;
using wire::Io;

void ReplyLine::begin(const Held&, wire::Connection& connection, std::string_view script) {
  script_ = script;
  connection_or_null_ = &connection;
  lost_ = false;
}

bool ReplyLine::flush(const Held& held) {
  std::optional<base::Clock::time_point> full_since;
  while (true) {
    const std::size_t sent_before = batch_.bytes_sent();
    const Io outcome = connection_or_null_->write_some(batch_);
    if (outcome == Io::done) break;
    if (outcome != Io::timeout) {
      lose(held, "the httpd child has gone");
      return false;
    }
    if (!full_since || batch_.bytes_sent() != sent_before) full_since = base::Clock::now();
    if (!await_room(held, *full_since)) return false;
  }
  batch_.clear();
  return true;
}

// Waits for a moment only: the kernel reports room when three quarters of the buffer are free, and
// a child with a slow client makes less than that. The child sends nothing but ABORT, or CANCEL
// that comes too late, while it is not asked for the body: so whatever else comes in between ends
// the reply.
bool ReplyLine::await_room(const Held& held, base::Clock::time_point full_since) noexcept {
  using std::chrono::milliseconds;
  constexpr milliseconds kMoment{500};
  if (std::chrono::duration_cast<milliseconds>(base::Clock::now() - full_since) >= reply_timeout_) {
    lose(held, "the httpd child did not take the reply in time");
    return false;
  }
  const short events = awaits_body_ ? POLLOUT : POLLIN | POLLOUT;
  const wire::Timeout moment = std::min<wire::Timeout>(reply_timeout_, kMoment);
  if ((connection_or_null_->wait(events, moment) & POLLIN) == 0) return true;
  if (connection_or_null_->drop_late_cancel()) return true;
  lose(held, "the client has gone");
  return false;
}

bool ReplyLine::send_at_once(const Held& held) {
  const Io outcome = connection_or_null_->write_some(batch_);
  if (outcome != Io::done && (outcome != Io::timeout || batch_.bytes_sent() != 0)) {
    lose(held, "the httpd child does not take a record of its request's log");
  }
  batch_.clear();
  return outcome == Io::done;
}

void ReplyLine::drop(const Held&) noexcept {
  if (batch_.bytes_sent() != 0) lost_ = true;
  batch_.clear();
}

// Between two answers the child sends nothing but ABORT, or CANCEL that comes too late, and closes.
bool ReplyLine::client_gone(const Held& held) noexcept {
  const bool heard =
      is_open(held) && !connection_or_null_->idle() && !connection_or_null_->drop_late_cancel();
  if (heard) lose(held, "the client has gone");
  return lost_;
}

void ReplyLine::lose(const Held&, std::string_view why) noexcept {
  if (!lost_) {
    base::if_memory_allows([&] {
      process_log_.log(LogLevel::debug, Message::child_gone,
                       fmt::format("{} during a request for {}", why, script_));
    });
  }
  lost_ = true;
  batch_.clear();
}

}  // namespace pyhost::worker
