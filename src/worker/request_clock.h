// Since when the request of an exchange runs.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace pyhost::worker {

// Set by the exchange's own thread; read by any, which never waits and costs the exchange nothing.
class RequestClock {
 public:
  // --- The exchange's thread ---
  void begin(base::TimePoint now) noexcept;
  // Its script is imported, which is none of its time.
  void import_begins(base::TimePoint now) noexcept { set(-ticks_of(now)); }
  void import_ended(base::TimePoint now) noexcept { set(ticks_of(now)); }
  // `counts`: the worker was active until now.
  void end(base::TimePoint now, bool counts) noexcept;

  // --- Any thread ---
  // A request between begin() and end().
  struct Running {
    std::uint64_t number;  // tells apart the requests of one exchange
    // Since it runs, without the time in which its script was imported; or since that.
    base::TimePoint began;
    bool importing;
  };
  std::optional<Running> running() const noexcept;
  bool runs(std::uint64_t number) const noexcept;
  // When the last request ended that counts as activity; nothing before the first one has.
  std::optional<base::TimePoint> last_end() const noexcept;

 private:
  static base::Clock::rep ticks_of(base::TimePoint moment) noexcept {
    return moment.time_since_epoch().count();
  }
  void set(base::Clock::rep began) noexcept { began_.store(began, std::memory_order_release); }

  std::atomic<std::uint64_t> number_ = 0;
  std::atomic<base::Clock::rep> began_ = 0;  // 0: no request is running; negative: its import began
  std::atomic<base::Clock::rep> last_end_ = 0;  // 0: none has ended
};

}  // namespace pyhost::worker
