#include "remote/delivery.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "base/clock.h"
#include "pyhost/base/messages.h"

namespace pyhost::remote {
namespace {

using gateway::ClientState;
using gateway::FileRange;
using gateway::ReplyPart;
using gateway::SendResult;
using std::chrono::milliseconds;

// httpd holds up to 64 KiB (FlushMaxThreshold) for a client before it waits for it.
constexpr std::size_t kPieceBytes = 48 * 1024;
// What the system's buffer takes of a client that has taken everything before: httpd waits until a
// piece with a flush has left.
constexpr std::size_t kFlushedPieceBytes = 16 * 1024;

// How much of a reply is read from the worker before the client has taken it.
std::uint64_t buffer_bytes_of(const settings::ProcessGroup& group) noexcept {
  constexpr std::uint64_t kUsual = 8 << 20;
  const std::uint64_t own = group.response_buffer_size_bytes;
  return own != 0 ? own : kUsual;
}

}  // namespace

Delivery::Delivery(gateway::ClientExchange& exchange, const RemoteSettings& settings) noexcept
    : exchange_(exchange),
      settings_(settings),
      client_(exchange.client_socket()),
      buffer_(buffer_bytes_of(settings.group), settings.temporary_folder) {}

void Delivery::add_file(base::UniqueFd file, const FileRange& range) noexcept {
  file_ = std::move(file);
  range_ = range;
}

void Delivery::keep_trailers(std::span<const gateway::Header> trailers) {
  for (const auto& [name, value] : trailers) trailers_.emplace_back(name, value);
}

void Delivery::pause() {
  if (!flush_at_) flush_at_ = base::Clock::now() + settings_.group.response_flush_delay;
}

std::optional<base::Clock::time_point> Delivery::flush_at() const noexcept {
  return client_is_behind() ? std::nullopt : flush_at_;
}

milliseconds Delivery::patience() const noexcept {
  const milliseconds own = settings_.group.response_socket_timeout;
  return own != milliseconds::zero() ? own : settings_.socket_timeout;
}

std::optional<base::Clock::time_point> Delivery::patience_ends_at() const noexcept {
  if (!behind_since_ || patience() == milliseconds::zero()) return std::nullopt;
  return *behind_since_ + patience();
}

Passed Delivery::settle() {
  if (head_) {
    if (const Passed passed = send_first_piece(); passed != Passed::on) return passed;
  }
  if (has_file() || keeps_nothing_ || !keep()) return send_all(then_now());
  if (!client_.can_be_watched()) return send_to_stream();
  const bool may_wait = flush_at_ && !client_is_behind() && buffer_.bytes() <= kPieceBytes;
  return may_wait && !flush_is_due() ? Passed::on : send_while_ready();
}

Passed Delivery::go_on() {
  behind_since_.reset();
  return settle();
}

// The head's texts cannot be kept, so the head leaves at once, with as much as httpd takes.
Passed Delivery::send_first_piece() {
  std::vector<std::string_view> piece;
  std::size_t room = kFlushedPieceBytes;
  std::size_t whole = 0;
  while (whole < blocks_.size() && blocks_[whole].size() <= room) room -= blocks_[whole++].size();
  piece.assign(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(whole));
  blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(whole));
  if (!blocks_.empty() && room != 0) {
    piece.push_back(blocks_.front().substr(0, room));
    blocks_.front().remove_prefix(room);
  }
  return send(piece, nullptr, blocks_.empty() && !has_file() ? then_now() : Then::more);
}

Passed Delivery::send(std::span<const std::string_view> blocks, const FileRange* file, Then then) {
  ReplyPart part{.blocks = blocks, .file = file, .then = then};
  if (head_) part.head = &*head_;
  std::vector<gateway::Header> trailers;
  if (then == Then::end) {
    for (const auto& [name, value] : trailers_) trailers.push_back({name, value});
  }
  part.trailers = trailers;
  const SendResult result = exchange_.send(part);
  head_sent_ = true;
  head_.reset();
  if (then == Then::pause) flush_at_.reset();
  return result == SendResult::sent ? Passed::on : Passed::taken_over;
}

// False when something is left that cannot be kept.
bool Delivery::keep() {
  std::size_t kept = 0;
  for (; kept < blocks_.size() && !keeps_nothing_; ++kept) {
    if (const auto appended = buffer_.append(blocks_[kept]); !appended) {
      exchange_.log(base::LogLevel::warn, base::Message::spool_failed,
                    fmt::format("the reply waits in its worker for the client: {}",
                                appended.error().sentence));
      keeps_nothing_ = true;
      break;
    }
  }
  blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(kept));
  return blocks_.empty();
}

Passed Delivery::send_while_ready() {
  while (!buffer_.empty() || flush_is_due()) {
    switch (exchange_.client_state()) {
      case ClientState::gone:
        return Passed::client_gone;
      case ClientState::behind:
        if (!behind_since_) behind_since_ = base::Clock::now();
        return Passed::on;
      case ClientState::ready:
        break;
    }
    behind_since_.reset();
    if (const Passed passed = send_kept_piece(); passed != Passed::on) return passed;
  }
  behind_since_.reset();
  return Passed::on;
}

// Whether a stream's client takes more cannot be asked, so a piece may have to wait for it. Between
// two pieces the worker has its turn: it waits only for a client that is behind by the whole
// buffer.
Passed Delivery::send_to_stream() {
  if (!flush_is_due() && !buffer_.full()) return Passed::on;
  do {
    if (const Passed passed = send_kept_piece(); passed != Passed::on) return passed;
  } while (buffer_.full());
  return Passed::on;
}

Passed Delivery::send_kept_piece() {
  const auto piece = buffer_.front(kPieceBytes);
  if (!piece) {
    loss_ = piece.error().sentence;
    return Passed::lost;
  }
  const bool flushes = piece->size() == buffer_.bytes() && piece->size() <= kFlushedPieceBytes;
  const Passed passed =
      send({&*piece, piece->empty() ? 0u : 1u}, nullptr, flushes ? then_now() : Then::more);
  buffer_.pop(piece->size());
  return passed;
}

Passed Delivery::send_all(Then then) {
  const ReplyBuffer::Content kept = buffer_.content();
  if (!kept.memory.empty() || kept.ranges[0].length != 0) {
    for (const FileRange& range : kept.ranges) {
      const bool first = &range == &kept.ranges[0];
      if (!first && range.length == 0) break;
      const FileRange* file = range.length != 0 ? &range : nullptr;
      const Passed passed = send({&kept.memory, first ? 1u : 0u}, file, Then::more);
      if (passed != Passed::on) return passed;
    }
    buffer_.clear();
  }
  behind_since_.reset();
  const Passed passed = send(blocks_, has_file() ? &range_ : nullptr, then);
  blocks_.clear();
  file_.reset();
  return passed;
}

void Delivery::break_off() {
  flush_at_ = base::Clock::now();
  static_cast<void>(settle());
}

bool Delivery::stands_alone() {
  return !buffer_.empty() && !head_ && keep();
}

Passed Delivery::finish() {
  flush_at_.reset();
  const bool own_limit = settings_.group.response_socket_timeout != milliseconds::zero();
  if (own_limit && client_.can_be_watched() && !buffer_.empty() && keep()) {
    if (const Passed passed = wait_and_send_kept(); passed != Passed::on) return passed;
  }
  return send_all(Then::end);
}

// httpd has a limit of its own for what it is given.
Passed Delivery::wait_and_send_kept() {
  while (true) {
    if (const Passed passed = send_while_ready(); passed != Passed::on) return passed;
    if (buffer_.empty()) return Passed::on;
    const auto left = std::chrono::ceil<milliseconds>(*patience_ends_at() - base::Clock::now());
    if (left <= milliseconds::zero()) return Passed::client_slow;
    pollfd client{.fd = client_.fd, .events = POLLOUT | POLLRDHUP, .revents = 0};
    const auto at_most = std::min<std::int64_t>(left.count(), INT_MAX);
    if (::poll(&client, 1, static_cast<int>(at_most)) > 0) behind_since_.reset();
  }
}

}  // namespace pyhost::remote
