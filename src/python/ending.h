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
  enum class Obstacle { lock, callback, threads, exit_functions };

  // That of this interpreter waits for something else now; `name` says for which callback or
  // threads.
  void waits_for(const Interpreter& interpreter, Obstacle obstacle, std::string name = {});
  void has_ended(const Interpreter& interpreter);

  // Waits until all interpreters that were waiting for something have ended, or until the deadline.
  // Then says what is in the way of the others, in one line: "threads of the main interpreter have
  // not ended: Thread-1; ..."; "" when there are none.
  std::string obstacles_at(std::chrono::steady_clock::time_point deadline);

 private:
  struct Entry {
    const Interpreter* interpreter;
    Obstacle obstacle;
    std::string name;
  };

  std::string in_the_way_locked() const;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Entry> entries_;  // guarded by mutex_
};

}  // namespace pyhost::python
