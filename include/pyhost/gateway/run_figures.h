// What one run of an application has cost.
#pragma once

#include <algorithm>
#include <chrono>

namespace pyhost::gateway {

// As the process says in which it ran.
struct RunFigures {
  // From the call of the application to the end of close(), with all that it has waited for. In a
  // reply that is made while it is sent, up to its end.
  std::chrono::microseconds application{0};
  // Until the thread had its interpreter's lock.
  std::chrono::microseconds interpreter_wait{0};

  bool operator==(const RunFigures&) const = default;
};

// The same, with nothing that took longer than all of it can have taken: for what is not believed.
constexpr RunFigures within(RunFigures figures, std::chrono::microseconds whole) noexcept {
  return {.application = std::min(figures.application, whole),
          .interpreter_wait = std::min(figures.interpreter_wait, whole)};
}

}  // namespace pyhost::gateway
