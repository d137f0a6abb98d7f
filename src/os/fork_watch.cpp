#include "os/fork_watch.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

namespace pyhost::os {
namespace {

std::atomic<bool> forked = false;

}  // namespace

struct ForkWatch::Registry {
  Registry() { ::pthread_atfork(lock_all, unlock_all, tell_all); }

  static void lock_all() {
    registry().mutex.lock();
    for (ForkWatch* watch : registry().watches) watch->held_.lock();
  }
  static void unlock_all() {
    for (ForkWatch* watch : registry().watches) watch->held_.unlock();
    registry().mutex.unlock();
  }
  static void tell_all() {
    forked = true;
    for (ForkWatch* watch : registry().watches) watch->in_child_();
    unlock_all();
  }

  std::mutex mutex;
  std::vector<ForkWatch*> watches;
};

// Never destroyed: the process may fork while it exits.
ForkWatch::Registry& ForkWatch::registry() {
  static auto& registry = *new Registry;
  return registry;
}

ForkWatch::ForkWatch(std::mutex& held, std::function<void()> in_child)
    : held_(held), in_child_(std::move(in_child)) {
  const std::lock_guard lock(registry().mutex);
  registry().watches.push_back(this);
}

ForkWatch::~ForkWatch() {
  const std::lock_guard lock(registry().mutex);
  std::erase(registry().watches, this);
}

void ForkWatch::begin() {
  registry();
}

bool ForkWatch::in_forked_process() noexcept {
  return forked.load(std::memory_order_relaxed);
}

}  // namespace pyhost::os
