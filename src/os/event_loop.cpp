#include "os/event_loop.h"

#include <fmt/format.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/clock.h"

namespace pyhost::os {

base::Result<EventLoop> EventLoop::create() {
  base::UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return base::fail(fmt::format("epoll_create: {}", std::strerror(errno)));
  return EventLoop(std::move(epoll));
}

base::Result<> EventLoop::watch(int fd, std::function<void()> on_ready, Interest interest) {
  epoll_event event{.events = interest == Interest::readable ? EPOLLIN : EPOLLOUT,
                    .data = {.u64 = ++last_ticket_}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return base::fail(fmt::format("epoll_ctl: {}", std::strerror(errno)));
  }
  tickets_[fd] = last_ticket_;
  handlers_[last_ticket_] = std::move(on_ready);
  return {};
}

void EventLoop::forget(int fd) noexcept {
  const auto ticket = tickets_.find(fd);
  if (ticket == tickets_.end()) return;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
  handlers_.erase(ticket->second);
  tickets_.erase(ticket);
}

void EventLoop::wait(std::optional<base::TimePoint> until) {
  std::array<epoll_event, 64> events;
  const int count =
      epoll_wait(epoll_.get(), events.data(), events.size(), base::poll_timeout(until));
  for (int i = 0; i < count; ++i) {
    const auto handler = handlers_.find(events[i].data.u64);
    if (handler == handlers_.end()) continue;
    // A copy, because the handler may forget itself.
    const auto on_ready = handler->second;
    on_ready();
  }
}

}  // namespace pyhost::os
