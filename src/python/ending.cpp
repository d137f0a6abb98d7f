#include "python/ending.h"

#include <fmt/format.h>

#include <algorithm>

namespace pyhost::python {

Ending::Entry& Ending::entry_locked(const Interpreter& interpreter) {
  const auto known = std::ranges::find(entries_, &interpreter, &Entry::interpreter);
  return known != entries_.end() ? *known : entries_.emplace_back(Entry{&interpreter});
}

void Ending::expect(const Interpreter& interpreter, Obstacle obstacle) {
  const std::lock_guard lock(mutex_);
  if (std::ranges::find(entries_, &interpreter, &Entry::interpreter) != entries_.end()) return;
  entries_.push_back({&interpreter, obstacle});
}

void Ending::waits_for(const Interpreter& interpreter, Obstacle obstacle, std::string name) {
  const std::lock_guard lock(mutex_);
  Entry& entry = entry_locked(interpreter);
  entry.obstacle = obstacle;
  entry.name = std::move(name);
}

void Ending::has_ended(const Interpreter& interpreter) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const Entry& entry) { return entry.interpreter == &interpreter; });
  }
  changed_.notify_all();
}

bool Ending::complete_until(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return entries_.empty(); });
}

// Those that wait for their lock have one phrase together: mostly it is the same lock.
std::string Ending::in_the_way(Locks locks) const {
  const std::lock_guard lock(mutex_);
  std::string locked, text;
  for (const Entry& entry : entries_) {
    const std::string phrase = entry.interpreter->phrase();
    switch (entry.obstacle) {
      case Obstacle::import:
        text += fmt::format("; a script is still being imported in {}", phrase);
        break;
      case Obstacle::lock:
        locked += (locked.empty() ? "the lock of " : " and of ") + phrase;
        break;
      case Obstacle::callback:
        text += fmt::format("; shutdown callback {} of {} is running", entry.name, phrase);
        break;
      case Obstacle::threads:
        text += fmt::format("; threads of {} have not ended: {}", phrase, entry.name);
        break;
      case Obstacle::exit_functions:
        text += fmt::format("; atexit functions of {} are running", phrase);
        break;
    }
  }
  if (locks == Locks::named && !locked.empty()) text += "; " + locked + " was not given up";
  return text.empty() ? text : text.substr(2);
}

}  // namespace pyhost::python
