// What runs in an interpreter at the moment, and how it is interrupted.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "pyhost/gateway/caller.h"
#include "python/attached.h"

namespace pyhost::engine {

// The runs, questions and preparations of one interpreter. The interpreter's lock protects it.
class ActiveCalls {
 public:
  // A call for its scope. What was raised in its thread and has not arrived yet is taken back at
  // the end, so that it cannot reach another request.
  class Scope {
   public:
    // `caller_or_null` is null in a prepare().
    Scope(python::Attached& py, ActiveCalls& calls, const gateway::Caller* caller_or_null);
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope();

    bool interrupted() const noexcept { return interrupted_; }

    // A script is imported, or waited for, in the call: that is not interrupted. Attached.
    void begin_import() noexcept;
    void end_import() noexcept;
    // The call goes on on that thread. Attached.
    void move_to(unsigned long thread) noexcept;

   private:
    friend ActiveCalls;

    ActiveCalls& calls_;
    const gateway::Caller* const caller_or_null_;
    base::Clock::time_point began_ = base::Clock::now();  // or went on behind an import
    unsigned long thread_;
    bool importing_ = false;
    bool interrupted_ = false;
  };

  // Raises `exception` in the run or question of that caller, once, if it began before `moment` and
  // imports nothing.
  void interrupt_run(python::Attached& py, const gateway::Caller& caller,
                     base::Clock::time_point moment, PyObject* exception) noexcept;
  void interrupt_preloads(python::Attached& py, PyObject* exception) noexcept;

  // Python's number of each thread, and a phrase that names the thread.
  std::vector<std::pair<unsigned long, std::string>> threads(python::Attached& py) const;

 private:
  static void take_back(Scope& call) noexcept;
  static void interrupt(Scope& call, PyObject* exception) noexcept;

  std::vector<Scope*> calls_;
};

}  // namespace pyhost::engine
