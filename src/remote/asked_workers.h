// What a request has learned of the workers that it has asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "remote/setback.h"

namespace pyhost::remote {

// Which may be asked again, and when the request has tried enough. What is known of a worker is not
// held against its successor. No clock and no scoreboard; not synchronised.
class AskedWorkers {
 public:
  // How long a worker that could not be asked is not asked again.
  static constexpr std::chrono::milliseconds kPostponement{20};

  explicit AskedWorkers(std::size_t slots)
      : avoided_(slots),
        attempts_left_(2 * static_cast<unsigned>(slots) + 1),
        departures_left_(attempts_left_) {}

  // That worker has not run the request.
  void heed(std::uint32_t slot, std::uint32_t generation, Setback setback, base::TimePoint now);

  bool may_be_asked(std::uint32_t slot, std::uint32_t generation,
                    base::TimePoint now) const noexcept;
  // As it has said itself.
  bool lacks_script(std::uint32_t slot, std::uint32_t generation) const noexcept;
  // Whether one that cannot be asked now, and that has the script or not as far as is known
  // otherwise, may yet have it. One that has sent the request back without a word of lacking the
  // script is being replaced for it.
  bool may_have_script_later(std::uint32_t slot, std::uint32_t generation, bool has) const noexcept;

  // Whether too many in a row could not run it.
  bool exhausted() const noexcept { return attempts_left_ == 0; }
  // Whether the request may leave one more worker that is silent.
  bool may_leave() const noexcept { return departures_left_ != 0; }
  // Whether it has had its turn, and comes back from a worker.
  bool any() const noexcept { return any_; }
  // Since when there was one that could not be asked for the moment.
  std::optional<base::TimePoint> postponed_since() const noexcept { return postponed_since_; }
  // Why the last one has not run it.
  const std::string& last_reason() const noexcept { return last_reason_; }

 private:
  struct Avoided {
    std::uint32_t generation = 0;
    base::TimePoint until{};  // it is not asked before; max() for never
    bool lacks_script = false;
  };

  const Avoided* find_or_null(std::uint32_t slot, std::uint32_t generation) const noexcept;

  std::vector<std::optional<Avoided>> avoided_;     // by slot
  unsigned attempts_left_;                          // at workers that cannot be reached
  unsigned departures_left_;                        // from workers that are silent
  std::optional<base::TimePoint> postponed_since_;  // for the first time
  bool any_ = false;
  std::string last_reason_ = "none is ready";
};

}  // namespace pyhost::remote
