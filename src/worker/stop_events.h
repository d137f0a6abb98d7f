// What the worker's main thread waits for.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::worker {

enum class StopEvent {
  none,          // the time is over
  hurry,         // control::kHurrySignal: httpd ends
  stop,          // SIGTERM, or the supervisor has gone
  evict,         // SIGUSR1
  cpu_time,      // SIGXCPU: the soft limit of CPU time
  hang_up,       // SIGHUP, of which only applications make something
  user_defined,  // SIGUSR2, likewise
  progress,      // poke() was called
};

// Whether it asks the worker to end, now or soon.
constexpr bool wants_end(StopEvent event) noexcept {
  return event >= StopEvent::hurry && event <= StopEvent::cpu_time;
}

// Handles these signals of the whole process; there is one in a process. They need not be
// blocked in any thread, so that the programs an application starts can be terminated.
class StopEvents {
 public:
  using Deadline = std::optional<std::chrono::steady_clock::time_point>;

  struct Handlers {
    // Called in wait() when something can be read from the status socket, and reads it; false when
    // it is none any more.
    std::function<bool()> on_message;
    // Called by any thread when what is waited with was closed or replaced. Does not return.
    std::function<void()> on_broken;
  };

  // `status_fd` is the socket to the supervisor: that it is closed there is a stop, and with the
  // signal that the kernel sends for the same reason still one. It stays the caller's.
  static base::Result<StopEvents> open(int status_fd, Handlers handlers);

  // Without a deadline, waits for ever.
  StopEvent wait(Deadline deadline);
  // From any thread.
  void poke() const noexcept;

 private:
  StopEvents(base::UniqueFd signals, base::UniqueFd pokes, int status_fd,
             Handlers handlers) noexcept
      : signals_(std::move(signals)),
        pokes_(std::move(pokes)),
        status_fd_(status_fd),
        handlers_(std::move(handlers)) {}

  void take_all(int event) const;
  StopEvent take_signal() const noexcept;
  StopEvent take_stop() noexcept;

  base::UniqueFd signals_;
  base::UniqueFd pokes_;
  int status_fd_;  // -1 when the supervisor has gone
  Handlers handlers_;
  bool stop_told_ = false;
};

}  // namespace pyhost::worker
