// Threads with a name, all signals blocked, and a stack that Python can use.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "pyhost/base/result.h"

namespace pyhost::base {

// CPython up to 3.13 trusts that a thread has this much stack before its recursion limit strikes.
inline constexpr std::size_t kPythonStackBytes = 8u << 20;

// A joinable thread. Signals are blocked in it: they belong to the process's own main thread. An
// exception that leaves `body` ends the process, as with std::thread.
class NamedThread {
 public:
  // `name` is cut at 15 bytes, the kernel's limit. Fails when the system refuses a thread.
  static Result<NamedThread> start(std::string name, std::size_t stack_bytes,
                                   std::function<void()> body);

  NamedThread() = default;
  NamedThread(NamedThread&& other) noexcept;
  NamedThread& operator=(NamedThread&& other) noexcept;
  // PRECONDITION: joined, detached or never started.
  ~NamedThread();

  bool joinable() const noexcept { return joinable_; }
  void join() noexcept;
  void detach() noexcept;

 private:
  unsigned long handle_ = 0;
  bool joinable_ = false;
};

}  // namespace pyhost::base
