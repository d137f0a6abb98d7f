// In place of src/scoreboard/word.h: a word whose every use is a step of the model.
#pragma once

#include <atomic>
#include <utility>

#include "model/scheduler.h"

namespace pyhost::scoreboard {

template <class T>
class Word {
 public:
  static constexpr bool is_always_lock_free = std::atomic<T>::is_always_lock_free;

  Word() noexcept = default;
  Word(T value) noexcept : value_(value) {}
  Word(const Word&) = delete;
  Word& operator=(const Word&) = delete;

  T load(std::memory_order = std::memory_order_seq_cst) const noexcept { return touch(); }
  operator T() const noexcept { return touch(); }
  void store(T value, std::memory_order = std::memory_order_seq_cst) noexcept { touch() = value; }
  T operator=(T value) noexcept { return touch() = value; }
  T exchange(T value, std::memory_order = std::memory_order_seq_cst) noexcept {
    return std::exchange(touch(), value);
  }
  bool compare_exchange_strong(T& expected, T value,
                               std::memory_order = std::memory_order_seq_cst) noexcept {
    T& now = touch();
    if (now == expected) {
      now = value;
      return true;
    }
    expected = now;
    return false;
  }
  bool compare_exchange_weak(T& expected, T value,
                             std::memory_order = std::memory_order_seq_cst) noexcept {
    return compare_exchange_strong(expected, value);
  }
  T fetch_add(T more, std::memory_order = std::memory_order_seq_cst) noexcept {
    T& now = touch();
    return std::exchange(now, static_cast<T>(now + more));
  }
  T operator++() noexcept { return ++touch(); }
  T operator--() noexcept { return --touch(); }

 private:
  T& touch() const noexcept {
    test::Scheduler::step();
    return value_;
  }

  mutable T value_{};
};

}  // namespace pyhost::scoreboard
