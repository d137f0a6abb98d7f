// What becomes of a process that an application forks off.
#pragma once

#include <functional>
#include <mutex>

namespace pyhost::os {

// While it lives, `in_child` is called in every process that fork() makes of this one, before
// fork() returns there: the new process has one thread, and only functions that are safe between
// fork() and exec() may be called. `held` is locked over the fork, so that what it guards is whole.
// Any thread may make one, and may fork unless it holds `held`.
class ForkWatch {
 public:
  ForkWatch(std::mutex& held, std::function<void()> in_child);
  ForkWatch(const ForkWatch&) = delete;
  ForkWatch& operator=(const ForkWatch&) = delete;
  ~ForkWatch();

  // From here on the next function is of use.
  static void begin();
  // Whether this process has been forked off since begin(), by one that had called it.
  static bool in_forked_process() noexcept;

 private:
  struct Registry;
  static Registry& registry();

  std::mutex& held_;
  const std::function<void()> in_child_;
};

}  // namespace pyhost::os
