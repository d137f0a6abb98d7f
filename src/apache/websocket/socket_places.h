// How many WebSockets a child of httpd holds.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "apache/websocket/shared_places.h"

namespace pyhost::apache {

// What a socket takes of its child.
enum class HeldBy {
  relay,   // a connection that no thread is busy with
  thread,  // one of httpd's threads
  stream,  // a thread of mod_http2's
};

// What of a child's configuration bounds its sockets.
struct ChildCapacity {
  unsigned threads = 1;       // of httpd, that serve requests
  unsigned async_factor = 0;  // AsyncRequestWorkerFactor, of an event MPM; 0 with any other
  unsigned h2_threads = 0;    // H2MaxWorkers
};

// A child of the event MPM takes connections up to threads + idle threads x factor, those counted
// that no thread is busy with. With half of what that comes to when all threads are idle, half of
// the threads can be busy with requests before it takes no more.
constexpr unsigned sockets_max(HeldBy held_by, const ChildCapacity& child) noexcept {
  if (held_by == HeldBy::relay) return child.threads * (1 + child.async_factor) / 2;
  const unsigned threads = held_by == HeldBy::stream ? child.h2_threads : child.threads;
  return threads > 1 ? threads / 2 : 1;
}

class SocketPlaces;

// One of them, for its scope.
class SocketPlace {
 public:
  SocketPlace(SocketPlace&& other) noexcept
      : taken_(std::exchange(other.taken_, nullptr)),
        shared_(std::exchange(other.shared_, nullptr)) {}
  SocketPlace& operator=(SocketPlace&&) = delete;
  ~SocketPlace() {
    if (taken_ != nullptr) taken_->fetch_sub(1, std::memory_order_relaxed);
    if (shared_ != nullptr) SharedPlaces::give_back(*shared_);
  }

 private:
  friend SocketPlaces;
  SocketPlace(std::atomic<unsigned>& taken, std::atomic<pid_t>* shared_or_null) noexcept
      : taken_(&taken), shared_(shared_or_null) {}

  std::atomic<unsigned>* taken_;
  std::atomic<pid_t>* shared_;
};

// For all threads of the child.
class SocketPlaces {
 public:
  // With `shared_or_null` a place that takes a thread is one of those, too.
  explicit SocketPlaces(const ChildCapacity& child, SharedPlaces* shared_or_null = nullptr) noexcept
      : child_(child), shared_or_null_(shared_or_null) {}

  // Nothing when all are taken.
  std::optional<SocketPlace> take(HeldBy held_by) noexcept;
  // A sentence.
  std::string why_full(HeldBy held_by) const;

 private:
  std::atomic<unsigned>& taken(HeldBy held_by) noexcept {
    return taken_[static_cast<std::size_t>(held_by)];
  }

  const ChildCapacity child_;
  SharedPlaces* const shared_or_null_;
  std::array<std::atomic<unsigned>, 3> taken_{};  // by HeldBy
};

}  // namespace pyhost::apache
