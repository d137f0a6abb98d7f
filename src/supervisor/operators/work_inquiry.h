// Finds out what the workers of a group do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "os/event_loop.h"
#include "supervisor/operators/work_question.h"

namespace pyhost::supervisor {

// How long a worker may take to say what it does.
inline constexpr base::Milliseconds kWorkPatience{5'000};

// Hears those that were asked, each to its end or until the time is over. Workers are not believed:
// one that says too much or nothing is heard no further. Single-threaded, in the thread of the
// loop, which outlives it.
class WorkInquiry {
 public:
  WorkInquiry(os::EventLoop& loop, std::vector<WorkQuestion> questions, base::TimePoint now);
  WorkInquiry(const WorkInquiry&) = delete;
  WorkInquiry& operator=(const WorkInquiry&) = delete;
  ~WorkInquiry();

  // What they have said, when all have, or when it is too late for more.
  std::optional<std::string> answer(base::TimePoint now);
  base::TimePoint deadline() const noexcept { return deadline_; }

 private:
  void hear(WorkQuestion& question);
  void end(WorkQuestion& question) noexcept;

  os::EventLoop& loop_;
  std::vector<WorkQuestion> questions_;
  const base::TimePoint deadline_;
};

}  // namespace pyhost::supervisor
