#include "control/worker_orders.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "os/descriptor_passing.h"

namespace pyhost::control {
namespace {

struct OrderHead {
  WorkerOrder::Kind kind;
  std::uint32_t text_bytes;
};

}  // namespace

base::Result<> send_order(int status_socket, WorkerOrder::Kind kind, std::string_view text,
                          int descriptor) {
  const auto failed = [](std::string_view why) {
    return base::fail(fmt::format("a worker cannot be told what to do: {}", why));
  };
  if (text.size() > kWorkerOrderTextMax) return failed("it is too much");
  OrderHead head{kind, static_cast<std::uint32_t>(text.size())};
  std::array<iovec, 2> pieces{
      iovec{.iov_base = &head, .iov_len = sizeof head},
      iovec{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()}};
  const std::span<const int> descriptors(&descriptor, descriptor >= 0 ? 1 : 0);
  const ssize_t sent = os::send_message(status_socket, pieces, descriptors, MSG_DONTWAIT);
  if (sent < 0) return failed(std::strerror(errno));
  if (static_cast<std::size_t>(sent) == sizeof head + text.size()) return {};
  ::shutdown(status_socket, SHUT_RDWR);
  return failed("it takes no orders");
}

std::optional<WorkerOrder> take_order(int status_socket) {
  OrderHead head{};
  iovec piece{.iov_base = &head, .iov_len = sizeof head};
  os::Received received = os::receive_message(status_socket, {&piece, 1}, 1, MSG_DONTWAIT);
  if (received.bytes < 0) return std::nullopt;
  errno = EPROTO;
  if (received.bytes != sizeof head || head.text_bytes > kWorkerOrderTextMax) return std::nullopt;
  WorkerOrder order{.kind = head.kind, .text = "", .descriptor = {}};
  if (!received.descriptors.empty()) order.descriptor = std::move(received.descriptors.front());
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
