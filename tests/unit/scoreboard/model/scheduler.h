// Runs code that shares memory in every order that matters: its threads are fibers of one thread,
// which change only where that code touches a shared word, and each run takes another of the ways
// that there are.
#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pyhost::test {

using ModelTime = std::chrono::steady_clock::time_point;

// One thread of the model.
struct Actor {
  std::string name;
  std::function<void()> body;
  // May be killed before any of its steps; then `after_death` runs as one more actor, as what
  // notices the death.
  std::function<void()> after_death = {};
};

// What one run has come to.
struct Course {
  // How often everybody slept until one slept no longer because its time was over: what it waited
  // for did not come, or nobody told it.
  unsigned timeouts = 0;
  std::chrono::nanoseconds slept{0};  // in these
  bool somebody_died = false;
  std::string steps;  // who ran, in order, to understand a failure by
};

// Sequentially consistent: what a processor may reorder between words is not seen.
class Scheduler {
 public:
  // Runs what `set_up` makes again and again, with a change from a thread that could go on at up to
  // `preemptions` places, and calls `check` behind each run. Ends early when `check` returns false.
  // The number of runs.
  static std::size_t explore(unsigned preemptions,
                             const std::function<std::vector<Actor>()>& set_up,
                             const std::function<bool(const Course&)>& check);

  // --- For what runs in an actor; elsewhere these do nothing, or what is obvious ---

  // A word is about to be touched.
  static void step();
  // Sleeps on the word until wake() or the moment.
  static void sleep(const void* word, ModelTime until);
  static void wake(const void* word, int sleepers);
  static ModelTime now();

 private:
  struct Fiber {
    Actor actor;
    // Where it begins. From then on it is left and entered by a jump: unlike swapcontext(), that
    // makes no system call.
    ucontext_t beginning{};
    jmp_buf place{};
    bool begun = false;
    std::unique_ptr<char[]> stack;
    bool done = false;
    const void* sleeps_on = nullptr;
    ModelTime until{};
  };
  // A place where there was more than one way to go on.
  struct Branch {
    unsigned ways;
    unsigned taken;
  };

  Course run(std::vector<Actor> actors);
  bool next_course();
  void add(Actor actor);
  bool pick();
  unsigned choose(unsigned ways);
  bool wake_by_time();
  static void begin(unsigned high, unsigned low);
  void enter(Fiber& fiber);
  void leave(Fiber& fiber);

  static Scheduler* active_;

  unsigned preemptions_max_ = 0;
  unsigned preemptions_ = 0;
  std::vector<Branch> branches_;
  std::size_t depth_ = 0;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  std::optional<std::size_t> current_;
  bool in_fiber_ = false;
  ucontext_t beginning_{};  // unused, but wanted by what begins a fiber
  jmp_buf home_{};
  ModelTime now_{};
  Course course_;
};

}  // namespace pyhost::test
