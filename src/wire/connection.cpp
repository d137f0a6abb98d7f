#include "wire/connection.h"

#include <fmt/format.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <iterator>
#include <span>
#include <utility>

namespace pyhost::wire {
namespace {

// A head and the largest piece of a body together; only pages that are used cost memory.
constexpr std::size_t kUsualBytes = kBodyFrameBytesMax + 16 * 1024;
constexpr std::size_t kFilesMax = 4;
constexpr std::size_t kPiecesMax = 64;
// When a message has been received, the kernel takes it out of its count but for this, wakes who
// waits for room, and only then takes out the rest.
constexpr std::size_t kLastToGo = 1;

Io outcome_of_errno() noexcept {
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Io::timeout;
  return errno == ECONNRESET ? Io::reset : Io::closed;
}

int poll_milliseconds(Timeout timeout) noexcept {
  if (timeout == kNoTimeout || timeout.count() > INT_MAX) return -1;
  return static_cast<int>(timeout.count());
}

}  // namespace

Connection::Connection(base::UniqueFd socket, Descriptors descriptors)
    : socket_(std::move(socket)),
      descriptors_(descriptors),
      buffer_(std::make_unique_for_overwrite<char[]>(kUsualBytes)),
      capacity_(kUsualBytes) {}

Connection::Next Connection::next(Frame& frame) {
  wanted_ = kHeaderBytes;
  if (buffered() < kHeaderBytes) return Next::incomplete;
  const auto header =
      decode_header(std::span<const char, kHeaderBytes>(buffer_.get() + begin_, kHeaderBytes));
  if (!header) {
    fault_ = header.error().sentence;
    return Next::malformed;
  }
  if (header->payload_bytes > kPayloadBytesMax && !trusts_requests_) {
    fault_ = fmt::format("a {} frame of {} bytes before a greeting", name_of(header->type),
                         header->payload_bytes);
    return Next::malformed;
  }
  wanted_ = kHeaderBytes + header->payload_bytes;
  if (buffered() < wanted_) return Next::incomplete;
  frame = {header->type, {buffer_.get() + begin_ + kHeaderBytes, header->payload_bytes}};
  begin_ += wanted_;
  return Next::frame;
}

bool Connection::rest_fits_in_place() const noexcept {
  return begin_ != end_ && begin_ + wanted_ <= capacity_;
}

void Connection::make_room() {
  if (rest_fits_in_place()) return;
  if (begin_ == end_) begin_ = end_ = 0;
  const std::size_t needed = std::max(wanted_, kUsualBytes);
  if (needed != capacity_ && buffered() <= needed) {
    auto other = std::make_unique_for_overwrite<char[]>(needed);
    std::memcpy(other.get(), buffer_.get() + begin_, buffered());
    ::explicit_bzero(buffer_.get(), used_);  // it may have a password
    buffer_ = std::move(other);
    capacity_ = needed;
    used_ = buffered();
  } else if (begin_ != 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, buffered());
  }
  end_ -= begin_;
  begin_ = 0;
}

// False when there was a descriptor too many; what did not fit is closed.
bool Connection::take(os::Received& received) {
  sender_ = received.sender;
  std::ranges::move(received.descriptors, std::back_inserter(files_));
  if (descriptors_ == Descriptors::refused && !files_.empty()) {
    fault_ = "a descriptor that nobody asked for";
    return false;
  }
  if (files_.size() > kFilesMax || received.descriptors_lost) {
    fault_ = "more descriptors than frames that need one";
    return false;
  }
  return true;
}

Io Connection::receive(int flags) {
  iovec piece{buffer_.get() + end_, capacity_ - end_};
  os::Received received = os::receive_message(socket_.get(), {&piece, 1}, 1, flags);
  if (received.bytes < 0) return outcome_of_errno();
  if (received.bytes == 0) return Io::closed;
  const auto got = static_cast<std::size_t>(received.bytes);
  filled_up_ = got == piece.iov_len;
  end_ += got;
  used_ = std::max(used_, end_);
  return take(received) ? Io::done : Io::malformed;
}

Io Connection::fill_now() {
  make_room();
  return receive(MSG_DONTWAIT);
}

Io Connection::fill_shortly() {
  make_room();
  return receive(0);
}

Io Connection::fill(Timeout timeout) {
  while (true) {
    const Io outcome = fill_now();
    if (outcome != Io::timeout || wait(POLLIN, timeout) == 0) return outcome;
  }
}

Io Connection::read_frame(Frame& frame, Timeout timeout) {
  while (true) {
    switch (next(frame)) {
      case Next::frame:
        return Io::done;
      case Next::malformed:
        return Io::malformed;
      case Next::incomplete:
        break;
    }
    if (const Io outcome = fill(timeout); outcome != Io::done) return outcome;
  }
}

void Connection::wipe() noexcept {
  ::explicit_bzero(buffer_.get(), begin_);
  ::explicit_bzero(buffer_.get() + end_, used_ - end_);
  used_ = end_;
}

bool Connection::idle() const noexcept {
  if (!drained()) return false;
  char byte = 0;
  return ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

base::UniqueFd Connection::take_file() noexcept {
  if (files_.empty()) return {};
  base::UniqueFd file = std::move(files_.front());
  files_.pop_front();
  return file;
}

Io Connection::write_some(FrameBatch& batch) {
  std::array<iovec, kPiecesMax> storage;
  for (auto pieces = batch.unsent(storage); !pieces.empty(); pieces = batch.unsent(storage)) {
    const int file = batch.file();
    const std::span<const int> files(&file, file >= 0 ? 1 : 0);
    const ssize_t sent = os::send_message(socket_.get(), pieces, files, MSG_DONTWAIT);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return outcome_of_errno();
    batch.mark_sent(static_cast<std::size_t>(sent));
  }
  return Io::done;
}

Io Connection::write(FrameBatch& batch, Timeout timeout) {
  while (true) {
    const Io outcome = write_some(batch);
    if (outcome != Io::timeout || wait(POLLOUT, timeout) == 0) return outcome;
  }
}

void Connection::shut() noexcept {
  ::shutdown(socket_.get(), SHUT_RDWR);
}

short Connection::wait(short events, Timeout timeout) const noexcept {
  pollfd entry{.fd = socket_.get(), .events = events, .revents = 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, poll_milliseconds(timeout));
  } while (ready < 0 && errno == EINTR);
  if (ready <= 0) return 0;
  // A hang-up is read and written to be told apart.
  return (entry.revents & (POLLERR | POLLHUP)) != 0 ? events : entry.revents;
}

// The memory that it takes, which is counted by whole messages: each has its share until its last
// byte is received. 0 also when the kernel does not tell.
std::size_t Connection::bytes_unread() const noexcept {
  int bytes = 0;
  return ::ioctl(socket_.get(), SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

bool Connection::has_unread() const noexcept {
  return bytes_unread() > kLastToGo;
}

// No message counts less than CANCEL. So if there is more in the socket with it than there was
// before, nothing was received meanwhile.
Connection::Cancelled Connection::cancel() noexcept {
  const HeaderBytes cancel = encode_header({FrameType::cancel, 0});
  const std::size_t before = bytes_unread();
  if (::send(socket_.get(), cancel.data(), cancel.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    return Cancelled::not_sent;
  }
  const bool both_are_there = before > kLastToGo && bytes_unread() > before + kLastToGo;
  return both_are_there ? Cancelled::yes : Cancelled::undecided;
}

// As a rule the buffer had room, and no system call is needed.
bool Connection::is_cancelled() const noexcept {
  std::array<char, kHeaderBytes> bytes{};
  std::size_t there = std::min(buffered(), bytes.size());
  if (there == 0 && !filled_up_) return false;
  std::copy_n(buffer_.get() + begin_, there, bytes.begin());
  if (there < bytes.size()) {
    const ssize_t more =
        ::recv(socket_.get(), bytes.data() + there, bytes.size() - there, MSG_PEEK | MSG_DONTWAIT);
    if (more > 0) there += static_cast<std::size_t>(more);
  }
  return there == bytes.size() && bytes == encode_header({FrameType::cancel, 0});
}

bool Connection::drop_late_cancel() {
  Frame frame;
  const bool is_cancel = (buffered() != 0 || fill_now() == Io::done) &&
                         next(frame) == Next::frame && frame.type == FrameType::cancel;
  return is_cancel && idle();
}

}  // namespace pyhost::wire
