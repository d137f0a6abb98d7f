#include "supervisor/control_channel.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace pyhost::supervisor {
namespace {

// What the packet itself says; an empty one could not be told from the end.
constexpr std::string_view kPacket = "pyhost";

tl::unexpected<base::Error> failed(const char* what) {
  return base::fail(
      fmt::format("the channel to pyhost-supervisor: {}: {}", what, std::strerror(errno)));
}

tl::unexpected<base::Error> malformed() {
  return base::fail("the channel to pyhost-supervisor: a malformed message came");
}

// Room for the descriptors of one message, aligned for the kernel.
struct alignas(cmsghdr) ControlBuffer {
  std::array<char, CMSG_SPACE(sizeof(int) * (kDescriptorsMax + 1))> bytes{};
};

std::vector<base::UniqueFd> take_descriptors(msghdr& header) {
  std::vector<base::UniqueFd> descriptors;
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      descriptors.emplace_back(fd);
    }
  }
  return descriptors;
}

base::Result<std::string> read_memory_file(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return failed("fstat");
  if (!S_ISREG(info.st_mode) || std::cmp_greater(info.st_size, kTextBytesMax)) return malformed();
  std::string text(info.st_size, '\0');
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t got = pread(fd, text.data() + done, text.size() - done, done);
    if (got <= 0) return failed("read");
    done += got;
  }
  return text;
}

}  // namespace

base::Result<std::pair<base::UniqueFd, base::UniqueFd>> make_control_channel() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return failed("socketpair");
  return std::pair(base::UniqueFd(ends[0]), base::UniqueFd(ends[1]));
}

base::Result<> send_message(int channel, std::string_view text, std::span<const int> descriptors) {
  if (descriptors.size() > kDescriptorsMax) {
    return base::fail(
        fmt::format("more than {} different error logs cannot be passed on", kDescriptorsMax - 1));
  }
  PH_TRY(file, make_memory_file("pyhost-control", text));
  std::vector<int> passed{file.get()};
  passed.insert(passed.end(), descriptors.begin(), descriptors.end());

  ControlBuffer control;
  iovec packet{.iov_base = const_cast<char*>(kPacket.data()), .iov_len = kPacket.size()};
  msghdr header{};
  header.msg_iov = &packet;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = CMSG_SPACE(sizeof(int) * passed.size());
  cmsghdr* part = CMSG_FIRSTHDR(&header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int) * passed.size());
  std::memcpy(CMSG_DATA(part), passed.data(), sizeof(int) * passed.size());
  ssize_t sent;
  do {
    sent = sendmsg(channel, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return failed("sendmsg");
  return {};
}

base::Result<std::optional<ControlMessage>> receive_message(
    int channel, std::optional<std::chrono::milliseconds> patience) {
  pollfd ready{.fd = channel, .events = POLLIN, .revents = 0};
  int count;
  do {
    count = poll(&ready, 1, patience ? static_cast<int>(patience->count()) : -1);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return failed("poll");
  if (count == 0) return base::fail("pyhost-supervisor does not answer");

  ControlBuffer control;
  std::array<char, kPacket.size() + 1> bytes;
  iovec packet{.iov_base = bytes.data(), .iov_len = bytes.size()};
  msghdr header{};
  header.msg_iov = &packet;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  const ssize_t got = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
  if (got == 0 || (got < 0 && errno == ECONNRESET)) return std::optional<ControlMessage>();
  if (got < 0) return failed("recvmsg");

  ControlMessage message{.descriptors = take_descriptors(header)};
  const bool complete = (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
  if (!complete || std::string_view(bytes.data(), got) != kPacket || message.descriptors.empty()) {
    return malformed();
  }
  PH_TRY(text, read_memory_file(message.descriptors.front().get()));
  message.text = std::move(text);
  message.descriptors.erase(message.descriptors.begin());
  return std::optional(std::move(message));
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

}  // namespace pyhost::supervisor
