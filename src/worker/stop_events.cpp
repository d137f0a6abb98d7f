#include "worker/stop_events.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "control/end_reason.h"

namespace pyhost::worker {
namespace {

// False when it is no such descriptor any more.
bool add_one(int event) noexcept {
  const std::uint64_t one = 1;
  return ::write(event, &one, sizeof one) == sizeof one;
}

int milliseconds_until(StopEvents::Deadline deadline) {
  if (!deadline) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*deadline - base::Clock::now());
  return static_cast<int>(std::clamp<std::chrono::milliseconds::rep>(left.count(), 0, 60'000));
}

// A signal handler has no other way to reach its object.
std::atomic<int> handler_event = -1;
std::atomic<unsigned> handler_seen = 0;  // a bit for each StopEvent
std::atomic<pid_t> handler_process = 0;
static_assert(std::atomic<int>::is_always_lock_free);

constexpr unsigned bit_of(StopEvent event) noexcept {
  return 1u << static_cast<unsigned>(event);
}

StopEvent event_of(int number) noexcept {
  if (number == control::kHurrySignal) return StopEvent::hurry;
  if (number == SIGUSR1) return StopEvent::evict;
  if (number == SIGHUP) return StopEvent::hang_up;
  if (number == SIGUSR2) return StopEvent::user_defined;
  return number == SIGXCPU ? StopEvent::cpu_time : StopEvent::stop;
}

// A process that the application has forked inherits the handler, and is to die of the signal.
void note_signal(int number) {
  if (::getpid() != handler_process) {
    constexpr int kKilledBySignal = 128;
    ::_exit(kKilledBySignal + number);
  }
  const int before = errno;
  handler_seen |= bit_of(event_of(number));
  static_cast<void>(add_one(handler_event));
  errno = before;
}

}  // namespace

base::Result<StopEvents> StopEvents::open(int status_fd, Handlers handlers) {
  base::UniqueFd signals(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  base::UniqueFd pokes(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!signals.valid() || !pokes.valid()) {
    return base::fail(fmt::format("the worker cannot wait for signals: {}", std::strerror(errno)));
  }
  handler_process = ::getpid();
  handler_event = signals.get();
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGTERM, control::kHurrySignal, SIGUSR1, SIGXCPU, SIGHUP, SIGUSR2}) {
    ::sigaction(number, &action, nullptr);
  }
  // An application that believes it has a handler for its timer is not to die of it. Programs that
  // it starts inherit what is ignored, but no handler.
  action.sa_handler = [](int) {};
  for (const int number : {SIGALRM, SIGVTALRM, SIGPROF}) ::sigaction(number, &action, nullptr);
  return StopEvents(std::move(signals), std::move(pokes), status_fd, std::move(handlers));
}

StopEvent StopEvents::wait(Deadline deadline) {
  std::array<pollfd, 3> entries{{{.fd = signals_.get(), .events = POLLIN},
                                 {.fd = pokes_.get(), .events = POLLIN},
                                 {.fd = status_fd_, .events = POLLIN}}};
  while (true) {
    const int ready = ::poll(entries.data(), entries.size(), milliseconds_until(deadline));
    if (ready > 0) break;
    if (ready < 0 && errno == EINVAL) handlers_.on_broken();
    if (deadline && base::Clock::now() >= *deadline) return StopEvent::none;
  }
  const auto& [signal, poke, message] = entries;
  if (((signal.revents | poke.revents | message.revents) & POLLNVAL) != 0) handlers_.on_broken();
  const bool lost = (message.revents & (POLLHUP | POLLERR)) != 0;
  if (!lost && message.revents != 0 && !handlers_.on_message()) handlers_.on_broken();
  if (lost) status_fd_ = -1;
  if (signal.revents != 0) {
    take_all(signals_.get());
    const StopEvent event = take_signal();
    return event == StopEvent::stop || lost ? take_stop() : event;
  }
  if (lost) return take_stop();
  if (poke.revents != 0) take_all(pokes_.get());
  return StopEvent::progress;
}

void StopEvents::take_all(int event) const {
  std::uint64_t count = 0;
  if (::read(event, &count, sizeof count) != sizeof count) handlers_.on_broken();
}

// The most urgent one; the others stay for the next wait.
StopEvent StopEvents::take_signal() const noexcept {
  for (const StopEvent event : {StopEvent::hurry, StopEvent::stop, StopEvent::evict,
                                StopEvent::cpu_time, StopEvent::hang_up, StopEvent::user_defined}) {
    if ((handler_seen.fetch_and(~bit_of(event)) & bit_of(event)) == 0) continue;
    if (handler_seen != 0) static_cast<void>(add_one(signals_.get()));
    return event;
  }
  return StopEvent::progress;
}

// A second stop means at once, but the end of the supervisor shows in two ways, one of them the
// signal that also stops.
StopEvent StopEvents::take_stop() noexcept {
  const bool again = std::exchange(stop_told_, true);
  return again && status_fd_ < 0 ? StopEvent::progress : StopEvent::stop;
}

void StopEvents::poke() const noexcept {
  if (!add_one(pokes_.get())) handlers_.on_broken();
}

}  // namespace pyhost::worker
