#include "control/worker_orders.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

namespace pyhost::control {
namespace {

struct OrderHead {
  WorkerOrder::Kind kind;
  std::uint32_t text_bytes;
};

// A message of two pieces with room for one descriptor.
struct OrderMessage {
  std::array<iovec, 2> pieces{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};

  explicit OrderMessage(OrderHead& head, std::string_view text = "") noexcept {
    pieces[0] = {.iov_base = &head, .iov_len = sizeof head};
    pieces[1] = {.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    header.msg_iov = pieces.data();
    header.msg_iovlen = pieces.size();
  }
  OrderMessage(const OrderMessage&) = delete;
  OrderMessage& operator=(const OrderMessage&) = delete;

  void make_room_for_descriptor() noexcept {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
  void attach(int descriptor) noexcept {
    make_room_for_descriptor();
    cmsghdr* part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
  }
  base::UniqueFd take_descriptor() noexcept {
    const cmsghdr* part = CMSG_FIRSTHDR(&header);
    if (part == nullptr || part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
      return {};
    }
    int descriptor;
    std::memcpy(&descriptor, CMSG_DATA(part), sizeof descriptor);
    return base::UniqueFd(descriptor);
  }
};

}  // namespace

base::Result<> send_order(int status_socket, WorkerOrder::Kind kind, std::string_view text,
                          int descriptor) {
  const auto failed = [](std::string_view why) {
    return base::fail(fmt::format("a worker cannot be told what to do: {}", why));
  };
  if (text.size() > kWorkerOrderTextMax) return failed("it is too much");
  OrderHead head{kind, static_cast<std::uint32_t>(text.size())};
  OrderMessage message(head, text);
  if (descriptor >= 0) message.attach(descriptor);
  const ssize_t sent = ::sendmsg(status_socket, &message.header, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return failed(std::strerror(errno));
  if (static_cast<std::size_t>(sent) == sizeof head + text.size()) return {};
  ::shutdown(status_socket, SHUT_RDWR);
  return failed("it takes no orders");
}

std::optional<WorkerOrder> take_order(int status_socket) {
  OrderHead head{};
  OrderMessage message(head);
  message.make_room_for_descriptor();
  const ssize_t got = ::recvmsg(status_socket, &message.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return std::nullopt;
  errno = EPROTO;
  WorkerOrder order{.kind = head.kind, .text = "", .descriptor = message.take_descriptor()};
  if (got != sizeof head || head.text_bytes > kWorkerOrderTextMax) return std::nullopt;
  if (head.text_bytes == 0) return order;
  order.text.resize(head.text_bytes);
  // It came with the head.
  const ssize_t rest = ::recv(status_socket, order.text.data(), order.text.size(), MSG_DONTWAIT);
  if (rest != static_cast<ssize_t>(order.text.size())) return std::nullopt;
  return order;
}

std::string to_json(const KeepOrder& order) {
  return nlohmann::json{{"slot", order.slot}, {"report", order.report}, {"scripts", order.scripts}}
      .dump();
}

std::optional<KeepOrder> parse_keep_order(std::string_view json) {
  using Json = nlohmann::json;
  const Json object = Json::parse(json, nullptr, false);
  const auto is_number = [](const Json& value) { return value.is_number_unsigned(); };
  if (!object.is_object() || !object.contains("slot") || !object.contains("report") ||
      !object.contains("scripts") || !is_number(object["slot"]) || !is_number(object["report"]) ||
      !object["scripts"].is_array() || !std::ranges::all_of(object["scripts"], is_number)) {
    return std::nullopt;
  }
  return KeepOrder{.slot = object["slot"].get<std::uint32_t>(),
                   .report = object["report"].get<std::uint32_t>(),
                   .scripts = object["scripts"].get<std::vector<std::uint64_t>>()};
}

}  // namespace pyhost::control
