// The interpreters of a process by application group.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pyhost/base/result.h"
#include "python/runtime.h"

namespace pyhost::python {

// Makes each application group's interpreter once, however many threads ask for it at once, and
// keeps it. Thread-safe; callers are not attached.
class InterpreterRegistry {
 public:
  struct Failure {
    base::Message message;
    std::string sentence;
  };
  using Found = tl::expected<Interpreter*, Failure>;

  using LockOf = std::function<InterpreterLock(std::string_view application_group)>;

  // `subs_max` = 0 means no limit.
  InterpreterRegistry(Runtime& runtime, unsigned subs_max, LockOf lock_of)
      : runtime_(runtime), subs_max_(subs_max), lock_of_(std::move(lock_of)) {}

  // Waits while another thread makes it. A failure goes to everybody who has waited for it; the
  // next caller tries again.
  Found get_or_create(std::string_view application_group);
  // All that are there, the main interpreter first.
  std::vector<Interpreter*> all();

 private:
  // Empty while the interpreter is being made. Co-owned by the map and by those who wait.
  using Making = std::shared_ptr<std::optional<Found>>;

  Found create(const std::string& name);

  Runtime& runtime_;
  const unsigned subs_max_;
  const LockOf lock_of_;
  std::mutex mutex_;
  std::condition_variable made_;
  std::unordered_map<std::string, Making> groups_;  // guarded by mutex_, with what it points to
};

}  // namespace pyhost::python
