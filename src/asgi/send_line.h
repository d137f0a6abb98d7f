// The order of those who wait for room.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

namespace pyhost::asgi {

// Several tasks of one exchange may send at once; what they send leaves in the order of their
// calls. Whoever finds no room takes a ticket, and sends when it is the first in line.
class SendLine {
 public:
  using Ticket = std::uint64_t;

  bool empty() const noexcept { return waiting_.empty(); }
  Ticket join() {
    waiting_.push_back(++last_);
    return last_;
  }
  bool is_first(Ticket ticket) const noexcept {
    return !waiting_.empty() && waiting_.front() == ticket;
  }
  // It was served, or waits no longer.
  void leave(Ticket ticket) { std::erase(waiting_, ticket); }

 private:
  Ticket last_ = 0;
  std::deque<Ticket> waiting_;
};

}  // namespace pyhost::asgi
