// Whether a worker reads what it was sent.
#pragma once

#include <optional>

#include "base/clock.h"
#include "remote/admission.h"
#include "remote/connection_pool.h"

namespace pyhost::remote {

// A worker that does not run keeps nothing that it has not read: it is taken back, for another one.
// Of one exchange; what it is made with outlives it.
class ReadWatch {
 public:
  ReadWatch(Admission& admission, PooledConnection& pooled) noexcept
      : admission_(admission), pooled_(pooled) {}

  // Sending begins.
  void begin(base::TimePoint now) noexcept;
  base::TimePoint began() const noexcept { return began_; }

  // Whatever comes from a worker shows that it runs. Gives back what it is given.
  wire::Io note(wire::Io received);

  // When look() is due; nothing once the worker has read all, or nobody can tell.
  std::optional<base::TimePoint> due() const noexcept { return due_; }
  // Whether all of it was taken back unread.
  bool look();

  // Whether it was taken back, perhaps in vain.
  bool cancelled() const noexcept { return cancelled_; }

 private:
  void see_sign_of_life();

  Admission& admission_;
  PooledConnection& pooled_;
  base::TimePoint began_{};
  std::optional<base::TimePoint> due_;
  bool cancelled_ = false;
};

}  // namespace pyhost::remote
