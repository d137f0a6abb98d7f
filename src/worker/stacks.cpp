#include "worker/stacks.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/out_of_memory.h"

namespace pyhost::worker {
namespace {

constexpr std::chrono::milliseconds kPatience{500};

// What interpreters say. Co-owned by whoever waits for it and by those that have not come yet.
class Gathering {
 public:
  void add(std::string_view stacks) {
    const std::lock_guard lock(mutex_);
    base::if_memory_allows([&] {
      if (!text_.empty() && !stacks.empty()) text_ += '\n';
      text_ += stacks;
    });
    ++number_;
    changed_.notify_one();
  }

  // False when fewer have come in time.
  bool wait_for(std::size_t expected) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return number_ >= expected; });
  }

  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
  std::size_t number_ = 0;
};

}  // namespace

std::string collect_stacks(gateway::EngineWatch& watch, gateway::StackOwners whose) {
  const auto gathering = std::make_shared<Gathering>();
  const std::size_t expected =
      watch.collect_stacks(whose, [gathering](std::string_view stacks) { gathering->add(stacks); });
  if (gathering->wait_for(expected)) return gathering->text();
  std::string text = gathering->text();
  if (!text.empty()) text += '\n';
  const std::string rest = watch.stacks_without_lock();
  return text + fmt::format("the lock of an interpreter could not be had within {} ms; {}{}",
                            kPatience.count(),
                            rest.empty() ? "this version of Python tells nothing without it"
                                         : "without it:\n",
                            rest);
}

}  // namespace pyhost::worker
