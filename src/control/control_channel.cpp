#include "control/control_channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.h"
#include "os/descriptor_passing.h"
#include "os/small_file.h"

namespace pyhost::control {

constexpr std::array<char, 8> kMagic{'p', 'y', 'h', 'o', 's', 't', '0', '2'};

// What a packet itself says. The descriptors of a message are those of its packets, in their order:
// first the text, then the message's own.
struct PacketHead {
  std::array<char, 8> magic = kMagic;
  std::uint64_t number = 0;              // of the message
  std::uint32_t descriptors = 0;         // of the whole message
  std::uint32_t descriptors_before = 0;  // in the packets before this one
};

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

tl::unexpected<base::Error> failed(const char* what) {
  return base::fail(
      fmt::format("the channel to pyhost-supervisor: {}: {}", what, std::strerror(errno)));
}

constexpr char kMalformed[] = "the channel to pyhost-supervisor: a malformed message came";

std::string describe_no_room(const PacketHead& head) {
  return fmt::format(
      "there is no room for the {} descriptors that pyhost-supervisor is sent; raise the limit of "
      "open files (ulimit -n, LimitNOFILE=) that httpd is started with",
      head.descriptors);
}

ssize_t send_packet(int channel, const PacketHead& head, std::span<const int> descriptors) {
  iovec part{.iov_base = const_cast<PacketHead*>(&head), .iov_len = sizeof head};
  return os::send_message(channel, {&part, 1}, descriptors, MSG_DONTWAIT);
}

// Whether the channel is ready before that moment.
bool wait_for(int channel, short events, steady_clock::time_point until) {
  pollfd ready{.fd = channel, .events = events, .revents = 0};
  const int count = poll(&ready, 1, base::poll_timeout(until));
  return count > 0 || (count < 0 && errno == EINTR && steady_clock::now() < until);
}

}  // namespace

struct ControlReceiver::Packet {
  PacketHead head;
  bool well_formed = false;
  bool whole = false;  // no descriptor was lost
  std::optional<Sender> sender{};
  std::vector<base::UniqueFd> descriptors{};
};

base::Result<ControlChannel> make_control_channel() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return failed("socketpair");
  ControlChannel channel{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
  if (!os::name_senders(ends[1], true)) return failed("passcred");
  return channel;
}

base::Result<> send_message(int channel, std::uint64_t number, std::string_view text,
                            std::span<const int> descriptors, milliseconds patience) {
  const auto until = steady_clock::now() + patience;
  PH_TRY(file, make_memory_file("pyhost-control", text));
  std::vector<int> all{file.get()};
  all.insert(all.end(), descriptors.begin(), descriptors.end());
  for (std::size_t sent = 0; sent < all.size();) {
    const std::size_t count = std::min(os::kDescriptorsPerMessage, all.size() - sent);
    const PacketHead head{.number = number,
                          .descriptors = static_cast<std::uint32_t>(all.size()),
                          .descriptors_before = static_cast<std::uint32_t>(sent)};
    if (send_packet(channel, head, std::span(all).subspan(sent, count)) >= 0) {
      sent += count;
    } else if (errno != EAGAIN && errno != EINTR) {
      return failed("sendmsg");
    } else if (!wait_for(channel, POLLOUT, until)) {
      return base::fail("pyhost-supervisor does not take what it is told");
    }
  }
  return {};
}

std::optional<ControlMessage> ControlReceiver::read() {
  while (auto packet = receive_packet()) {
    if (!is_from_sender(*packet)) {
      stranger_ = packet->sender.value_or(Sender{});
    } else if (auto message = add(*std::move(packet))) {
      return message;
    }
  }
  return std::nullopt;
}

// Nothing when there is none.
std::optional<ControlReceiver::Packet> ControlReceiver::receive_packet() {
  Packet packet;
  iovec part{.iov_base = &packet.head, .iov_len = sizeof packet.head};
  os::Received received =
      os::receive_message(channel_, {&part, 1}, os::kDescriptorsPerMessage, MSG_DONTWAIT);
  at_end_ = received.bytes == 0 || (received.bytes < 0 && errno != EAGAIN);
  if (received.bytes <= 0) return std::nullopt;
  packet.well_formed =
      received.bytes == sizeof packet.head && !received.cut_off && packet.head.magic == kMagic;
  packet.whole = !received.descriptors_lost;
  packet.sender = received.sender;
  packet.descriptors = std::move(received.descriptors);
  return packet;
}

bool ControlReceiver::is_from_sender(const Packet& packet) const noexcept {
  return !sender_ || packet.sender == sender_;
}

// The message, when this was its last packet.
std::optional<ControlMessage> ControlReceiver::add(Packet packet) {
  const PacketHead& head = packet.head;
  if (head.descriptors_before == 0) pending_ = {.number = head.number};
  std::vector<base::UniqueFd>& have = pending_.descriptors;
  const std::size_t before = have.size();
  std::ranges::move(packet.descriptors, std::back_inserter(have));
  const bool fits = head.number == pending_.number && head.descriptors_before == before &&
                    have.size() > before && have.size() <= head.descriptors;
  if (!packet.well_formed || !packet.whole || !fits) {
    pending_ = {};
    const bool no_room = packet.well_formed && !packet.whole;
    return ControlMessage{.number = head.number,
                          .problem = no_room ? describe_no_room(head) : kMalformed};
  }
  if (have.size() < head.descriptors) return std::nullopt;
  ControlMessage message = std::exchange(pending_, {});
  auto text = os::read_whole(message.descriptors.front().get(), kTextBytesMax);
  if (!text) return ControlMessage{.number = head.number, .problem = kMalformed};
  message.text = *std::move(text);
  message.descriptors.erase(message.descriptors.begin());
  return message;
}

base::Result<ControlMessage> await_message(ControlReceiver& receiver, int channel,
                                           std::uint64_t number, milliseconds patience) {
  const auto until = steady_clock::now() + patience;
  while (true) {
    auto message = receiver.read();
    if (message && message->number == number) return *std::move(message);
    if (message) continue;
    if (receiver.at_end()) {
      return base::fail("pyhost-supervisor has ended; its last words are in the error log");
    }
    if (!wait_for(channel, POLLIN, until)) return base::fail("pyhost-supervisor does not answer");
  }
}

base::Result<base::UniqueFd> make_memory_file(const char* name, std::string_view text) {
  base::UniqueFd file(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!file.valid()) return failed("memfd_create");
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t written = pwrite(file.get(), text.data() + done, text.size() - done, done);
    if (written <= 0) return failed("write");
    done += written;
  }
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (fcntl(file.get(), F_ADD_SEALS, kSeals) != 0) return failed("seal");
  return file;
}

}  // namespace pyhost::control
