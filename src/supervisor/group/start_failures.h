// The starts of a group's workers that have failed.
#pragma once

#include <string>
#include <utility>

namespace pyhost::supervisor {

class StartFailures {
 public:
  void note(std::string why) {
    ++count_;
    go_on_ = true;
    last_ = std::move(why);
  }
  // A worker has become ready.
  void end() noexcept { go_on_ = false; }

  // So far.
  unsigned count() const noexcept { return count_; }
  // Whether no worker has become ready since the last one.
  bool go_on() const noexcept { return go_on_; }
  // The sentence of the last one.
  const std::string& last() const noexcept { return last_; }

 private:
  unsigned count_ = 0;
  bool go_on_ = false;
  std::string last_;
};

}  // namespace pyhost::supervisor
