// Waits for descriptors and the clock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "base/clock.h"
#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::os {

enum class Interest { readable, writable };

// For one thread.
class EventLoop {
 public:
  static base::Result<EventLoop> create();

  // Calls `on_ready` from wait() as long as the descriptor is ready for what is of interest, or
  // hung up. A handler may watch and forget any descriptor, its own too. The descriptor stays the
  // caller's, who forgets it before closing it.
  base::Result<> watch(int fd, std::function<void()> on_ready,
                       Interest interest = Interest::readable);
  void forget(int fd) noexcept;

  // Waits until a descriptor is ready or the moment has come, and calls the handlers.
  void wait(std::optional<base::TimePoint> until);

 private:
  using Ticket = std::uint64_t;

  explicit EventLoop(base::UniqueFd epoll) noexcept : epoll_(std::move(epoll)) {}

  base::UniqueFd epoll_;
  // Numbers that are not used again tell a stale event for a descriptor that was closed in the same
  // round from a fresh one for its successor.
  Ticket last_ticket_ = 0;
  std::map<int, Ticket> tickets_;
  std::map<Ticket, std::function<void()>> handlers_;
};

}  // namespace pyhost::os
