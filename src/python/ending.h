// How far the interpreters of a process are with their end.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "python/interpreter.h"

namespace pyhost::python {

// Shared by the threads that end the interpreters and the one that waits for them and may give up
// first. Thread-safe.
class Ending {
 public:
  // What an interpreter's end waits for.
  enum class Obstacle { import, lock, callback, threads, exit_functions };

  // Whether locks that are in the way are to be told.
  enum class Locks { named, left_out };

  // This interpreter is to end as well, and waits for that first.
  void expect(const Interpreter& interpreter, Obstacle obstacle);
  // Its end waits for something else now; `name` says for which callback or threads.
  void waits_for(const Interpreter& interpreter, Obstacle obstacle, std::string name = {});
  void has_ended(const Interpreter& interpreter);

  // Whether all interpreters that were expected have ended by then.
  bool complete_until(std::chrono::steady_clock::time_point deadline);

  // What keeps the others, in one line: "threads of the main interpreter have not ended: Thread-1;
  // ...". "" when there is nothing to be told.
  std::string in_the_way(Locks locks) const;

 private:
  struct Entry {
    const Interpreter* interpreter;
    Obstacle obstacle = Obstacle::lock;
    std::string name = {};
  };

  Entry& entry_locked(const Interpreter& interpreter);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> entries_;  // guarded by mutex_
};

}  // namespace pyhost::python
