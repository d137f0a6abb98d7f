#include "remote/worker_tunnel.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pyhost/gateway/http_status.h"
#include "remote/failures.h"
#include "remote/worker_words.h"
#include "wire/messages.h"

namespace pyhost::remote {

using base::LogLevel;
using base::Message;
using gateway::FailureCause;
using gateway::Outcome;
using gateway::StreamEnding;
using std::chrono::milliseconds;
using wire::Connection;
using wire::Frame;
using wire::FrameType;
using wire::Io;

namespace {

// How long a worker that has closed its end in the middle of a frame is looked at: has it died?
constexpr milliseconds kDeathIsKnownAfter{250};
// More is not kept while nothing is on its way: most sockets are silent most of the time.
constexpr std::size_t kKeptBytesMax = 4096;

}  // namespace

WorkerTunnel::WorkerTunnel(scoreboard::Scoreboard& scoreboard, const RemoteSettings& settings,
                           base::LogSink& log, Request request, Lease lease,
                           std::unique_ptr<PooledConnection> pooled)
    : scoreboard_(scoreboard),
      settings_(settings),
      log_(log),
      request_(std::move(request)),
      lease_(std::move(lease)),
      pooled_(std::move(pooled)),
      records_(log, settings, pooled_->worker) {
  pooled_->batch = {};
  pooled_->headers = {};
  pooled_->annotations = {};
  scoreboard_.open_socket(request_.child);
}

// --- What the worker sends -----------------------------------------------------------------------

// Receives once at most, so that a worker that only logs keeps nobody busy.
std::string_view WorkerTunnel::look() {
  take_frames();
  if (rest_.empty() && !end_) {
    receive();
    take_frames();
  }
  return rest_;
}

void WorkerTunnel::take_frames() {
  Frame frame;
  while (rest_.empty() && !end_) {
    switch (pooled_->connection.next(frame)) {
      case Connection::Next::frame:
        take(frame);
        break;
      case Connection::Next::malformed:
        return refuse(pooled_->connection.fault());
      case Connection::Next::incomplete:
        return;
    }
  }
}

void WorkerTunnel::take(const Frame& frame) {
  switch (frame.type) {
    case FrameType::reply_body:
      return take_piece(frame.payload);
    case FrameType::flush:
      return;
    case FrameType::log:
      return records_.take(frame.payload);
    case FrameType::record:
      return records_.take_application(frame.payload);
    case FrameType::counts:
      return take_counts(frame);
    case FrameType::end:
      return take_end(frame);
    case FrameType::error:
      return take_error(frame);
    default:
      return refuse(
          fmt::format("the worker sent {} to an open WebSocket", wire::name_of(frame.type)));
  }
}

void WorkerTunnel::take_piece(std::string_view bytes) {
  if (bytes.size() > wire::kBodyFrameBytesMax) {
    return refuse(
        fmt::format("the worker sent a piece of {} bytes to an open WebSocket", bytes.size()));
  }
  rest_ = bytes;
}

void WorkerTunnel::take_counts(const Frame& frame) {
  const auto counts = wire::decode_counts(frame.payload);
  if (!counts) return refuse("the worker sent malformed COUNTS");
  scoreboard_.tally(request_.child).count_messages(counts->received, counts->sent);
  if (counts->close_code != 0) close_code_ = counts->close_code;
}

void WorkerTunnel::take_end(const Frame& frame) {
  const auto figures = wire::decode_end(frame.payload);
  if (!figures) return refuse("the worker sent a malformed END");
  end_with({.kind = Attempt::Kind::complete, .figures = believed(*figures)});
}

void WorkerTunnel::take_error(const Frame& frame) {
  const auto error = wire::decode_error(frame.payload);
  if (!error) return refuse("the worker sent a malformed ERROR");
  end_with({.kind = Attempt::Kind::broken,
            .message = Message::reply_broken,
            .why = std::string(error->cause),
            .failure = believed_failure(error->failure),
            .figures = believed(error->figures)});
}

// What it has sent before it died is there by then.
void WorkerTunnel::receive() {
  switch (pooled_->connection.fill_now()) {
    case Io::done:
      return;
    case Io::timeout:
      if (died_) lose();
      return;
    case Io::malformed:
      return refuse(pooled_->connection.fault());
    case Io::closed:
    case Io::reset:
      return lose();
  }
}

void WorkerTunnel::end_with(Attempt attempt) {
  if (!end_) end_ = std::move(attempt);
}

void WorkerTunnel::lose() {
  was_cut_ = !pooled_->connection.drained();
  end_with({.kind = Attempt::Kind::lost,
            .message = Message::worker_lost,
            .why = "the worker closed the connection"});
}

void WorkerTunnel::refuse(std::string what) {
  end_with(
      {.kind = Attempt::Kind::failed, .message = Message::frame_malformed, .why = std::move(what)});
}

bool WorkerTunnel::worker_has_died() noexcept {
  died_ = died_ || has_died(scoreboard_, pooled_->worker);
  return died_;
}

// --- What the client sends -----------------------------------------------------------------------

std::size_t WorkerTunnel::send(std::string_view bytes) {
  if (sending_ || hears_nothing_) return hears_nothing_ ? bytes.size() : 0;
  std::string& batched = pooled_->batch.encoded();
  const std::size_t room =
      wire::kBodyFrameBytesMax - std::min(wire::kBodyFrameBytesMax, batched.size());
  bytes = bytes.substr(0, room);
  if (!bytes.empty()) wire::encode_body(FrameType::body, bytes, batched);
  return bytes.size();
}

WorkerTunnel::Room WorkerTunnel::flush() {
  while (!hears_nothing_ && batch_next()) {
    switch (pooled_->connection.write_some(pooled_->batch)) {
      case Io::done:
        break;
      case Io::timeout:
        return Room::none;
      default:
        hears_nothing_ = true;
        break;
    }
    sending_ = false;
    if (pooled_->batch.encoded().capacity() > kKeptBytesMax) pooled_->batch = {};
    pooled_->batch.clear();
  }
  return hears_nothing_ ? Room::gone : Room::free;
}

// Whether something is left to be sent; then it is on its way.
bool WorkerTunnel::batch_next() {
  std::string& batched = pooled_->batch.encoded();
  if (!sending_) {
    if (leaving_) wire::encode_leave(*std::exchange(leaving_, std::nullopt), batched);
    if (std::exchange(end_wanted_, false)) {
      wire::encode_body_end(gateway::BodyFault::none, batched);
    }
    sending_ = !batched.empty();
  }
  return sending_;
}

milliseconds WorkerTunnel::patience() const noexcept {
  const milliseconds own = settings_.group.response_socket_timeout;
  return own != milliseconds::zero() ? own : settings_.socket_timeout;
}

// --- The end -------------------------------------------------------------------------------------

gateway::RunFigures WorkerTunnel::believed(const gateway::RunFigures& figures) const noexcept {
  return within(
      figures, std::chrono::ceil<std::chrono::microseconds>(base::Clock::now() - request_.sent_at));
}

// A frame that is on its way cannot be cut: the end of the connection says the same.
void WorkerTunnel::abort() {
  if (sending_ || hears_nothing_) return;
  wire::encode_empty(FrameType::abort, pooled_->batch.encoded());
  static_cast<void>(pooled_->connection.write_some(pooled_->batch));
}

Outcome WorkerTunnel::finish(StreamEnding ending) {
  if (!end_) abort();
  pooled_->connection.shut();
  lease_.reset();
  records_.tell_left_out();
  const scoreboard::Tally tally = scoreboard_.tally(request_.child);
  tally.note_dropped_lines(records_.lines_left_out());
  tally.count_close(close_code_);
  switch (ending) {
    case StreamEnding::worker:
      return outcome_of_worker();
    case StreamEnding::client_slow:
      note(LogLevel::info, Message::client_slow,
           fmt::format("the client took nothing of its WebSocket for {:g} s",
                       base::seconds(patience())));
      return {.kind = Outcome::Kind::broken, .failure = FailureCause::reply};
    case StreamEnding::worker_late:
      note(LogLevel::warn, Message::web_socket_cut,
           "a WebSocket was cut off because the worker did not close it in time");
      break;
    case StreamEnding::client_gone:
    case StreamEnding::stopped:
      break;
  }
  return {};
}

Outcome WorkerTunnel::outcome_of_worker() const {
  if (!end_ || end_->kind == Attempt::Kind::complete) {
    return {.figures = end_ ? end_->figures : gateway::RunFigures()};
  }
  return report(*end_);
}

// The worker has waited long enough for room, and has no room either for saying so.
bool WorkerTunnel::has_given_up_client() const {
  if (!was_cut_ || died_) return false;
  const Worker& worker = pooled_->worker;
  const auto death = scoreboard_.wait_for_death(worker.slot, worker.generation, kDeathIsKnownAfter);
  return !death || death->generation != worker.generation;
}

Outcome WorkerTunnel::report(const Attempt& attempt) const {
  if (attempt.kind == Attempt::Kind::lost && has_given_up_client()) {
    note(LogLevel::info, Message::client_slow,
         "the worker has closed a WebSocket whose client did not take what it was sent");
    return {.kind = Outcome::Kind::broken, .failure = FailureCause::reply};
  }
  const auto death = death_of(scoreboard_, pooled_->worker, attempt);
  const bool told = attempt.message == Message::reply_broken && records_.failure_told();
  if (!told) {
    note(LogLevel::error, attempt.message,
         cause_of(attempt, death) + "; that was while its WebSocket was open");
  }
  const FailureCause said =
      attempt.failure != FailureCause::none ? attempt.failure : failure_of(attempt.message);
  return {.kind = Outcome::Kind::broken,
          .failure = death ? failure_of(*death) : said,
          .figures = attempt.figures};
}

void WorkerTunnel::note(LogLevel level, Message message, std::string_view what) const {
  log_.log(level, message,
           fmt::format("{}, {:.3f} s after the request for {} began ({})", what,
                       base::seconds(base::Clock::now() - request_.began), request_.script,
                       name_of(settings_, pooled_->worker)));
}

}  // namespace pyhost::remote
