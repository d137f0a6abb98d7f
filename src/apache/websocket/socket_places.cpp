#include "apache/websocket/socket_places.h"

#include <fmt/format.h>

namespace pyhost::apache {

std::optional<SocketPlace> SocketPlaces::take(HeldBy held_by) noexcept {
  std::atomic<unsigned>& taken = this->taken(held_by);
  if (taken.fetch_add(1, std::memory_order_relaxed) < sockets_max(held_by, child_)) {
    if (held_by != HeldBy::thread || shared_or_null_ == nullptr) return SocketPlace(taken, nullptr);
    if (auto* shared = shared_or_null_->take()) return SocketPlace(taken, shared);
  }
  taken.fetch_sub(1, std::memory_order_relaxed);
  return std::nullopt;
}

std::string SocketPlaces::why_full(HeldBy held_by) const {
  if (held_by == HeldBy::relay) {
    return fmt::format(
        "this httpd child holds {} WebSockets, which is the most with ThreadsPerChild {} and "
        "AsyncRequestWorkerFactor {}: raise AsyncRequestWorkerFactor",
        sockets_max(held_by, child_), child_.threads, child_.async_factor);
  }
  if (held_by == HeldBy::stream) {
    return fmt::format(
        "{} threads of mod_http2 in this httpd child have WebSockets, half of H2MaxWorkers, which "
        "is "
        "the most: raise H2MaxWorkers, or leave H2WebSockets off, so that clients open them over "
        "HTTP/1.1",
        sockets_max(held_by, child_));
  }
  if (shared_or_null_ != nullptr) {
    return fmt::format(
        "{} processes of httpd have WebSockets, half of MaxRequestWorkers, which is the most; only "
        "HTTP/1.1 under the event MPM needs no process for each",
        shared_or_null_->size());
  }
  return fmt::format(
      "{} of the {} threads of this httpd child have WebSockets, which is the most; only HTTP/1.1 "
      "under the event MPM needs no thread for each",
      sockets_max(held_by, child_), child_.threads);
}

}  // namespace pyhost::apache
