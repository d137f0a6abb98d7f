// Targets of which something is known.
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>

#include "pyhost/gateway/target.h"

namespace pyhost::worker {

// Thread-safe. Asking costs no system call and no memory.
class KnownTargets {
 public:
  bool knows(const gateway::Target& target) const {
    const std::shared_lock lock(mutex_);
    return targets_.contains(Key(script_key(target), target.callable));
  }
  void note(const gateway::Target& target) {
    const std::unique_lock lock(mutex_);
    targets_.emplace(script_key(target), target.callable);
  }

 private:
  using Key = std::pair<std::uint64_t, std::string_view>;
  // By the script, then by the callable.
  struct Before {
    using is_transparent = void;

    template <class One, class Other>
    bool operator()(const One& one, const Other& other) const noexcept {
      if (one.first != other.first) return one.first < other.first;
      return std::string_view(one.second) < std::string_view(other.second);
    }
  };

  mutable std::shared_mutex mutex_;
  std::set<std::pair<std::uint64_t, std::string>, Before> targets_;  // guarded by mutex_
};

}  // namespace pyhost::worker
