#include "worker/worker_channel.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <utility>

#include "base/out_of_memory.h"
#include "pyhost/gateway/http_status.h"
#include "worker/refusal_frame.h"

namespace pyhost::worker {

using base::LogLevel;
using base::Message;
using gateway::BodyFault;
using gateway::BodyPiece;
using gateway::Offered;
using gateway::Outcome;
using gateway::ReplyPart;
using wire::FrameType;
using wire::Io;

namespace {

// Beyond this, records of a request whose client takes nothing go to the process's own log.
constexpr std::size_t kKeptForRecordsMax = 4 * gateway::kChannelBytesHigh;

// While messages come and go, their number is told about as often.
constexpr std::chrono::seconds kCountsTellingInterval{1};

// Checked ones are never too many for a frame.
void encode_trailers(std::span<const gateway::Header> trailers, std::string& out) {
  static_cast<void>(wire::encode_headers(FrameType::trailers, trailers, out));
}

// Whether a reply that begins with that part is a stream.
bool is_switch(const ReplyPart& part) noexcept {
  return part.head != nullptr && part.head->status == gateway::kSwitchingProtocols;
}

}  // namespace

bool WorkerChannel::begin(ChildConnection& child, std::string payload) {
  payload_ = std::move(payload);
  auto request = wire::decode_request(payload_, environ_);
  if (!request) return false;
  request_ = *request;
  request_.head.worker_start_us = base::now_us();
  body_.assign(request_.body);
  body_follows_ = request_.body_follows;
  body_bytes_ = body_.size();
  clock_.begin(base::Clock::now());
  const std::lock_guard lock(mutex_);
  child_or_null_ = &child;
  return true;
}

// --- The body --------------------------------------------------------------------------------

// A body whose length is known ends with its last byte; any other where the child says so.
BodyPiece WorkerChannel::take_body() noexcept {
  taken_.swap(body_);
  body_.clear();
  const auto& announced = request_.head.content_length;
  const bool all_is_here = announced && body_bytes_ >= *announced && !streams_;
  pause_reading(false);
  return {.bytes = taken_, .complete = !body_follows_ || all_is_here, .fault = fault_};
}

void WorkerChannel::want_body() noexcept {
  if (!body_follows_ || body_awaited_ || fault_ != BodyFault::none) return;
  const std::lock_guard lock(mutex_);
  if (!is_open_locked()) return;
  body_awaited_ =
      send_locked([](std::string& out) { wire::encode_empty(FrameType::want_body, out); });
}

WorkerChannel::Heard WorkerChannel::hear(const wire::Frame& frame) {
  if (frame.type == FrameType::cancel) return Heard::nothing;  // too late
  if (streams_ && frame.type == FrameType::leave) {
    const auto leaving = wire::decode_leave(frame.payload);
    if (leaving) leaving_ = *leaving;
    return leaving ? Heard::leave : Heard::end;
  }
  if (!std::exchange(body_awaited_, false) && !(streams_ && body_follows_)) return Heard::end;
  if (frame.type == FrameType::body) {
    body_.append(frame.payload);
    body_bytes_ += frame.payload.size();
    if (streams_ && body_.size() > gateway::kChannelBytesHigh) pause_reading(true);
    return Heard::body;
  }
  const auto fault =
      frame.type == FrameType::body_end ? wire::decode_body_end(frame.payload) : std::nullopt;
  if (!fault) return Heard::end;
  body_follows_ = false;
  fault_ = *fault;
  return Heard::body;
}

// What an application does not take is left to the child, which then reads no more of its client.
void WorkerChannel::pause_reading(bool pause) noexcept {
  if (!streams_) return;
  const std::lock_guard lock(mutex_);
  if (pauses_reading_ == pause || !is_open_locked()) return;
  pauses_reading_ = pause;
  watch_locked();
}

bool WorkerChannel::lose(std::string_view why) {
  if (process_log_.wants(LogLevel::debug)) {
    process_log_.log(LogLevel::debug, Message::child_gone,
                     fmt::format("{} during a request for {}", why, request_.target.script));
  }
  if (body_follows_ && fault_ == BodyFault::none) fault_ = BodyFault::client_gone;
  {
    const std::lock_guard lock(mutex_);
    lose_locked();
  }
  return !leave_if_done();
}

// --- The reply -------------------------------------------------------------------------------

void WorkerChannel::lose_locked() noexcept {
  lost_ = true;
  out_.clear();
}

// False when the child has gone.
bool WorkerChannel::send_locked() noexcept {
  const auto send = [this] { return out_.send(child_or_null_->connection); };
  const Io outcome = base::unless_out_of_memory(send, [] { return Io::closed; });
  if (outcome != Io::done && outcome != Io::timeout) {
    lose_locked();
    return false;
  }
  watch_room_locked();
  return true;
}

// Room that a record has found, too, is to be told of.
void WorkerChannel::watch_room_locked() noexcept {
  const bool waits = full_ || out_.bytes_kept() != 0;
  if (waits == watches_room_) return;
  watches_room_ = waits;
  watch_locked();
}

void WorkerChannel::watch_locked() noexcept {
  keeper_.watch(*child_or_null_, {.reads = !pauses_reading_, .room = watches_room_});
}

// The same behind what `encode` puts there.
template <class Encode>
bool WorkerChannel::send_locked(const Encode& encode) noexcept {
  return base::unless_out_of_memory(
      [&] {
        encode(out_.batch().encoded());
        return send_locked();
      },
      [&] {
        lose_locked();
        return false;
      });
}

bool WorkerChannel::encode_locked(const ReplyPart& part) {
  wire::FrameBatch& batch = out_.batch();
  if (part.head != nullptr && !wire::encode_head(*part.head, batch.encoded())) {
    wire::encode_log({LogLevel::error, Message::head_too_large,
                      fmt::format("the response headers of {} are larger than {} bytes",
                                  request_.target.script, wire::kPayloadBytesMax)},
                     batch.encoded());
    send_locked();
    return false;
  }
  if (reply_ == Reply::unsent && is_switch(part)) begin_stream_locked();
  reply_ = Reply::open;
  for (const std::string_view block : part.blocks) batch.add_body(FrameType::reply_body, block);
  if (part.file != nullptr) {
    wire::encode_file({part.file->offset, part.file->length}, batch.encoded());
    batch.attach_file(part.file->fd);
  }
  const bool pauses = part.then == ReplyPart::Then::pause && !streams_;
  if (pauses) wire::encode_empty(FrameType::flush, batch.encoded());
  if (part.then == ReplyPart::Then::end) {
    if (streams_) encode_counts(batch.encoded());
    if (!part.trailers.empty()) encode_trailers(part.trailers, batch.encoded());
    wire::encode_end(part.figures, batch.encoded());
    reply_ = Reply::ended;
  }
  return true;
}

// The connection is never another request's, and the time of this one is over.
void WorkerChannel::begin_stream_locked() noexcept {
  streams_ = true;
  closes_ = true;
  body_follows_ = true;
  counts_told_ = base::Clock::now();
  clock_.end(counts_told_, counts_as_activity());
  note_activity(counts_told_);
}

// A client that takes nothing would keep the rest here for as long as it likes.
void WorkerChannel::end_at_once() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (!is_open_locked()) return;
    reply_ = Reply::ended;
    if (out_.bytes_kept() == 0) {
      static_cast<void>(send_locked([this](std::string& out) {
        encode_counts(out);
        wire::encode_end({}, out);
      }));
    }
    out_.clear();
  }
  detach_if_done();
}

// --- A stream --------------------------------------------------------------------------------

void WorkerChannel::note_activity(base::TimePoint now) noexcept {
  if (counts_as_activity()) last_activity_ = now.time_since_epoch().count();
}

void WorkerChannel::note_message(Way way) noexcept {
  const base::TimePoint now = base::Clock::now();
  note_activity(now);
  ++(way == Way::received ? counts_.received : counts_.sent);
  if (now - counts_told_ < kCountsTellingInterval) return;
  const std::lock_guard lock(mutex_);
  if (!is_open_locked()) return;
  static_cast<void>(send_locked([this](std::string& out) { encode_counts(out); }));
}

void WorkerChannel::encode_counts(std::string& out) {
  wire::encode_counts(std::exchange(counts_, {}), out);
  counts_told_ = base::Clock::now();
}

std::optional<base::TimePoint> WorkerChannel::last_activity() const noexcept {
  const base::Clock::rep ticks = last_activity_;
  if (ticks == 0) return std::nullopt;
  return base::TimePoint(base::Clock::duration(ticks));
}

Offered WorkerChannel::offer(const ReplyPart& part) noexcept {
  announce_reply();
  Offered offered = Offered::dropped;
  {
    const std::lock_guard lock(mutex_);
    if (!is_open_locked()) return Offered::dropped;
    const bool sent =
        base::unless_out_of_memory([&] { return encode_locked(part) && send_locked(); },
                                   [&] {
                                     lose_locked();
                                     return false;
                                   });
    if (sent) {
      full_ = out_.bytes_kept() >= gateway::kChannelBytesHigh || out_.keeps_file();
      offered = full_ ? Offered::full : Offered::taken;
    }
  }
  detach_if_done();
  return offered;
}

bool WorkerChannel::make_use_of_room() {
  bool has_room = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_open_locked() && send_locked()) {
      has_room = full_ && out_.bytes_kept() <= gateway::kChannelBytesLow && !out_.keeps_file();
      full_ = full_ && !has_room;
      watch_room_locked();
    }
  }
  return !leave_if_done() && has_room;
}

// What there is no memory for is left out.
void WorkerChannel::offer_early_hints(std::span<const gateway::Header> headers) noexcept {
  announce_reply();
  base::if_memory_allows([&] {
    std::string frame;
    if (!wire::encode_headers(wire::FrameType::early_hints, headers, frame)) return;
    const std::lock_guard lock(mutex_);
    if (reply_ != Reply::unsent || !is_open_locked()) return;
    out_.batch().encoded() += frame;
    send_locked();
  });
}

// --- The end ---------------------------------------------------------------------------------

void WorkerChannel::encode_end_of_failure_locked(const Outcome& outcome) {
  const bool unsent = reply_ == Reply::unsent;
  const int status =
      outcome.kind == Outcome::Kind::refused ? outcome.status : gateway::kInternalServerError;
  encode_refusal({.outcome = outcome,
                  .status = unsent ? status : 0,
                  .cause = "the application failed",
                  .failure = outcome.failure,
                  .last_resort = request_.last_resort},
                 out_.batch().encoded());
  closes_ = !unsent;
  reply_ = Reply::ended;
}

void WorkerChannel::finish(const Outcome& outcome) noexcept {
  announce_reply();
  finished_ = true;
  {
    const std::lock_guard lock(mutex_);
    if (is_open_locked() && reply_ != Reply::ended) {
      base::unless_out_of_memory(
          [&] {
            encode_end_of_failure_locked(outcome);
            send_locked();
          },
          [&] { lose_locked(); });
    }
  }
  leave_if_done();
}

bool WorkerChannel::detach_if_done() noexcept {
  ChildConnection* child = nullptr;
  bool closes = false;
  {
    const std::lock_guard lock(mutex_);
    if (child_or_null_ == nullptr) return true;
    const bool has_left = reply_ == Reply::ended && out_.bytes_kept() == 0;
    if (lost_ ? !finished_ : !has_left) return false;
    child = std::exchange(child_or_null_, nullptr);
    // The answer to WANT_BODY may be on its way.
    closes = lost_ || closes_ || body_awaited_;
  }
  clock_.end(base::Clock::now(), counts_as_activity());
  streams_ = false;
  keeper_.detached(*this, *child, closes ? ChannelKeeper::Then::close : ChannelKeeper::Then::reuse);
  return true;
}

bool WorkerChannel::leave_if_done() noexcept {
  const bool is_over = detach_if_done() && finished_;
  if (is_over) keeper_.over(*this);
  return is_over;
}

void WorkerChannel::announce_reply() noexcept {
  if (!std::exchange(announced_, true)) keeper_.reply_begins();
}

void WorkerChannel::hand_back() noexcept {
  ChildConnection* child = nullptr;
  {
    const std::lock_guard lock(mutex_);
    child = std::exchange(child_or_null_, nullptr);
  }
  clock_.end(base::Clock::now(), false);
  keeper_.handed_back(*this, *child);
}

// --- From outside ---

std::string WorkerChannel::script_of(std::uint64_t number) const {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  const bool runs = lock && number == number_ && child_or_null_ != nullptr;
  return runs ? std::string(request_.target.script) : std::string();
}

RequestLine WorkerChannel::request_line_of(std::uint64_t number) const {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  const bool runs = lock && number == number_ && child_or_null_ != nullptr;
  return runs ? request_line_in(request_.head) : RequestLine();
}

void WorkerChannel::note(std::uint64_t number, LogLevel level, Message message,
                         std::string_view text) noexcept {
  {
    const std::unique_lock lock(mutex_, std::try_to_lock);
    const bool may = lock && number == number_ && takes_records_locked();
    const bool sent = may && send_locked([&](std::string& out) {
                        wire::encode_log({level, message, text}, out);
                      });
    if (sent) return;
  }
  process_log_.log(level, message, text);
}

bool WorkerChannel::give_up(std::uint64_t number, gateway::FailureCause failure,
                            std::string_view cause) noexcept {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return false;
  if (number != number_ || !is_open_locked() || reply_ == Reply::ended) return true;
  const std::uint16_t status = reply_ == Reply::unsent ? gateway::kGatewayTimeout : 0;
  // Without the frame the child sees the connection end. The loop does, too.
  static_cast<void>(send_locked([&](std::string& out) {
    wire::encode_error({.status = status, .cause = cause, .failure = failure}, out);
  }));
  lose_locked();
  ::shutdown(child_or_null_->connection.fd(), SHUT_RDWR);
  return true;
}

// --- Records ---------------------------------------------------------------------------------

bool WorkerChannel::takes_records_locked() const noexcept {
  return is_open_locked() && reply_ != Reply::ended && out_.bytes_kept() < kKeptForRecordsMax;
}

template <class Encode>
bool WorkerChannel::send_record(const Encode& encode) noexcept {
  const std::lock_guard lock(mutex_);
  return takes_records_locked() && send_locked(encode);
}

void WorkerChannel::log(LogLevel level, Message message, std::string_view text) noexcept {
  const auto encode = [&](std::string& out) { wire::encode_log({level, message, text}, out); };
  if (!send_record(encode)) process_log_.log(level, message, text);
}

void WorkerChannel::log_application(const base::ApplicationRecord& record) noexcept {
  const auto encode = [&](std::string& out) { wire::encode_record(record, out); };
  if (!send_record(encode)) process_log_.log_application(record);
}

}  // namespace pyhost::worker
