#include "scheduler.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace pyhost::test {
namespace {

constexpr std::size_t kStackBytes = 64 * 1024;
// Any moment that is later than the ages that tests subtract from it.
constexpr ModelTime kBegin{std::chrono::hours(1)};

}  // namespace

Scheduler* Scheduler::active_ = nullptr;

std::size_t Scheduler::explore(unsigned preemptions,
                               const std::function<std::vector<Actor>()>& set_up,
                               const std::function<bool(const Course&)>& check) {
  Scheduler scheduler;
  scheduler.preemptions_max_ = preemptions;
  std::size_t runs = 0;
  do {
    ++runs;
    scheduler.now_ = kBegin;
    active_ = &scheduler;
    const Course course = scheduler.run(set_up());
    const bool goes_on = check(course);
    active_ = nullptr;
    if (!goes_on) break;
  } while (scheduler.next_course());
  return runs;
}

// Depth first: the last place where another way is left.
bool Scheduler::next_course() {
  while (!branches_.empty() && branches_.back().taken + 1 == branches_.back().ways) {
    branches_.pop_back();
  }
  if (branches_.empty()) return false;
  ++branches_.back().taken;
  return true;
}

unsigned Scheduler::choose(unsigned ways) {
  if (ways == 1) return 0;
  if (depth_ == branches_.size()) branches_.push_back({ways, 0});
  return branches_[depth_++].taken;
}

void Scheduler::add(Actor actor) {
  auto fiber = std::make_unique<Fiber>();
  fiber->actor = std::move(actor);
  fiber->stack = std::make_unique_for_overwrite<char[]>(kStackBytes);
  getcontext(&fiber->beginning);
  fiber->beginning.uc_stack.ss_sp = fiber->stack.get();
  fiber->beginning.uc_stack.ss_size = kStackBytes;
  const auto address = reinterpret_cast<std::uintptr_t>(fiber.get());
  // makecontext() passes on nothing wider than an int.
  makecontext(&fiber->beginning, reinterpret_cast<void (*)()>(&Scheduler::begin), 2,
              static_cast<unsigned>(address >> 32), static_cast<unsigned>(address));
  fibers_.push_back(std::move(fiber));
}

void Scheduler::begin(unsigned high, unsigned low) {
  const auto address = (static_cast<std::uintptr_t>(high) << 32) | low;
  auto* fiber = reinterpret_cast<Fiber*>(address);
  fiber->actor.body();
  fiber->done = true;
  active_->leave(*fiber);
}

void Scheduler::enter(Fiber& fiber) {
  in_fiber_ = true;
  if (_setjmp(home_) == 0) {
    if (fiber.begun) _longjmp(fiber.place, 1);
    fiber.begun = true;
    swapcontext(&beginning_, &fiber.beginning);
  }
  in_fiber_ = false;
}

void Scheduler::leave(Fiber& fiber) {
  if (_setjmp(fiber.place) == 0) _longjmp(home_, 1);
}

Course Scheduler::run(std::vector<Actor> actors) {
  course_ = {};
  depth_ = 0;
  preemptions_ = 0;
  current_.reset();
  fibers_.clear();
  for (Actor& actor : actors) add(std::move(actor));
  while (pick()) {
    Fiber& fiber = *fibers_[*current_];
    course_.steps += fiber.actor.name;
    enter(fiber);
  }
  return std::move(course_);
}

// Whose step is the next; false when all are done.
bool Scheduler::pick() {
  std::vector<std::size_t> ready;
  do {
    for (std::size_t i = 0; i < fibers_.size(); ++i) {
      if (!fibers_[i]->done && fibers_[i]->sleeps_on == nullptr) ready.push_back(i);
    }
  } while (ready.empty() && wake_by_time());
  if (ready.empty()) return false;
  // The one that runs comes first: to go on with it is the way that costs nothing.
  const auto running = current_ ? std::ranges::find(ready, *current_) : ready.end();
  const bool goes_on = running != ready.end();
  if (goes_on) std::rotate(ready.begin(), running, running + 1);
  const bool may_change = !goes_on || preemptions_ < preemptions_max_;
  unsigned ways = may_change ? static_cast<unsigned>(ready.size()) : 1;
  // Only one dies in a run, and only while it runs.
  const bool may_die =
      goes_on && !course_.somebody_died && fibers_[ready.front()]->actor.after_death != nullptr;
  const unsigned way = choose(ways + (may_die ? 1 : 0));
  if (way == ways) {
    course_.somebody_died = true;
    course_.steps += '!';
    Fiber& dead = *fibers_[ready.front()];
    dead.done = true;
    add({.name = "~", .body = dead.actor.after_death});
    current_.reset();
    return pick();
  }
  if (goes_on && way != 0) ++preemptions_;
  current_ = ready[way];
  return true;
}

bool Scheduler::wake_by_time() {
  Fiber* first = nullptr;
  for (const auto& fiber : fibers_) {
    if (fiber->done) continue;
    if (first == nullptr || fiber->until < first->until) first = fiber.get();
  }
  if (first == nullptr) return false;
  if (first->until > now_) {
    course_.slept += first->until - now_;
    now_ = first->until;
  }
  ++course_.timeouts;
  course_.steps += '.';
  first->sleeps_on = nullptr;
  return true;
}

void Scheduler::step() {
  if (active_ == nullptr || !active_->in_fiber_) return;
  active_->leave(*active_->fibers_[*active_->current_]);
}

void Scheduler::sleep(const void* word, ModelTime until) {
  if (active_ == nullptr || !active_->in_fiber_) std::abort();
  Fiber& fiber = *active_->fibers_[*active_->current_];
  fiber.sleeps_on = word;
  fiber.until = until;
  active_->leave(fiber);
}

void Scheduler::wake(const void* word, int sleepers) {
  if (active_ == nullptr) return;
  for (const auto& fiber : active_->fibers_) {
    if (sleepers == 0) return;
    if (fiber->done || fiber->sleeps_on != word) continue;
    fiber->sleeps_on = nullptr;
    --sleepers;
  }
}

ModelTime Scheduler::now() {
  return active_ == nullptr ? kBegin : active_->now_;
}

}  // namespace pyhost::test
