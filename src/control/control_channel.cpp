#include "control/control_channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.h"

namespace pyhost::control {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::array<char, 8> kMagic{'p', 'y', 'h', 'o', 's', 't', '0', '2'};

// What a packet itself says. The descriptors of a message are those of its packets, in their order:
// first the text, then the message's own.
struct Head {
  std::array<char, 8> magic = kMagic;
  std::uint64_t number = 0;              // of the message
  std::uint32_t descriptors = 0;         // of the whole message
  std::uint32_t descriptors_before = 0;  // in the packets before this one
};

// What the kernel passes at most at once.
constexpr std::size_t kDescriptorsPerPacket = 253;

tl::unexpected<base::Error> failed(const char* what) {
  return base::fail(
      fmt::format("the channel to pyhost-supervisor: {}: {}", what, std::strerror(errno)));
}

constexpr char kMalformed[] = "the channel to pyhost-supervisor: a malformed message came";

std::string describe_no_room(const Head& head) {
  return fmt::format(
      "there is no room for the {} descriptors that pyhost-supervisor is sent; raise the limit of "
      "open files (ulimit -n, LimitNOFILE=) that httpd is started with",
      head.descriptors);
}

// Room for the descriptors of one packet and for its sender, aligned for the kernel.
struct alignas(cmsghdr) ControlBuffer {
  std::array<char, CMSG_SPACE(sizeof(int) * kDescriptorsPerPacket) + CMSG_SPACE(sizeof(ucred))>
      bytes{};
};

base::Result<std::string> read_memory_file(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return failed("fstat");
  if (!S_ISREG(info.st_mode) || std::cmp_greater(info.st_size, kTextBytesMax))
    return base::fail(kMalformed);
  std::string text(info.st_size, '\0');
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t got = pread(fd, text.data() + done, text.size() - done, done);
    if (got <= 0) return failed("read");
    done += got;
  }
  return text;
}

ssize_t send_packet(int channel, const Head& head, std::span<const int> descriptors) {
  ControlBuffer control;
  iovec part{.iov_base = const_cast<Head*>(&head), .iov_len = sizeof head};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
  std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  return sendmsg(channel, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Whether the channel is ready before that moment.
bool wait_for(int channel, short events, steady_clock::time_point until) {
  pollfd ready{.fd = channel, .events = events, .revents = 0};
  const int count = poll(&ready, 1, base::poll_timeout(until));
  return count > 0 || (count < 0 && errno == EINTR && steady_clock::now() < until);
}

}  // namespace

struct ControlReceiver::Packet {
  Head head;
  bool well_formed = false;
  bool whole = false;  // no descriptor was lost
  std::optional<ucred> sender{};
  std::vector<base::UniqueFd> descriptors{};

  void take(const cmsghdr& part) {
    if (part.cmsg_level != SOL_SOCKET) return;
    if (part.cmsg_type == SCM_CREDENTIALS) {
      std::memcpy(&sender.emplace(), CMSG_DATA(&part), sizeof(ucred));
    }
    if (part.cmsg_type != SCM_RIGHTS) return;
    const std::size_t count = (part.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(&part) + i * sizeof fd, sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
};

base::Result<ControlChannel> make_control_channel() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return failed("socketpair");
  ControlChannel channel{base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
  const int on = 1;
  if (setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) return failed("passcred");
  return channel;
}

base::Result<> send_message(int channel, std::uint64_t number, std::string_view text,
                            std::span<const int> descriptors, milliseconds patience) {
  const auto until = steady_clock::now() + patience;
  PH_TRY(file, make_memory_file("pyhost-control", text));
  std::vector<int> all{file.get()};
  all.insert(all.end(), descriptors.begin(), descriptors.end());
  for (std::size_t sent = 0; sent < all.size();) {
    const std::size_t count = std::min(kDescriptorsPerPacket, all.size() - sent);
    const Head head{.number = number,
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
      stranger_ = packet->sender ? Sender{packet->sender->pid, packet->sender->uid} : Sender{};
    } else if (auto message = add(*std::move(packet))) {
      return message;
    }
  }
  return std::nullopt;
}

// Nothing when there is none.
std::optional<ControlReceiver::Packet> ControlReceiver::receive_packet() {
  ControlBuffer control;
  Packet packet;
  iovec part{.iov_base = &packet.head, .iov_len = sizeof packet.head};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  ssize_t got;
  do {
    got = recvmsg(channel_, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  at_end_ = got == 0 || (got < 0 && errno != EAGAIN);
  if (got <= 0) return std::nullopt;
  for (const cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr;
       each = CMSG_NXTHDR(&header, const_cast<cmsghdr*>(each))) {
    packet.take(*each);
  }
  packet.well_formed = got == sizeof packet.head && (header.msg_flags & MSG_TRUNC) == 0 &&
                       packet.head.magic == kMagic;
  packet.whole = (header.msg_flags & MSG_CTRUNC) == 0;
  return packet;
}

bool ControlReceiver::is_from_sender(const Packet& packet) const noexcept {
  return !sender_ || (packet.sender && packet.sender->pid == sender_->pid &&
                      packet.sender->uid == sender_->uid);
}

// The message, when this was its last packet.
std::optional<ControlMessage> ControlReceiver::add(Packet packet) {
  const Head& head = packet.head;
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
  auto text = read_memory_file(message.descriptors.front().get());
  if (!text) return ControlMessage{.number = head.number, .problem = text.error().sentence};
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
