#include "harness/scarce_memory.h"

#include <pthread.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>

namespace {

constexpr long kPlenty = -1;

std::atomic<long> allocations_left = kPlenty;
std::atomic<pthread_t> thread_concerned = 0;
std::string_view threads_concerned;  // behind the other two

bool is_concerned() noexcept {
  if (threads_concerned.empty()) return ::pthread_self() == thread_concerned;
  std::array<char, 16> name{};
  ::pthread_getname_np(::pthread_self(), name.data(), name.size());
  return std::string_view(name.data()).starts_with(threads_concerned);
}

bool is_refused() noexcept {
  if (allocations_left == kPlenty || !is_concerned()) return false;
  long left = allocations_left;
  while (left > 0 && !allocations_left.compare_exchange_weak(left, left - 1)) {
  }
  return left == 0;
}

}  // namespace

void* operator new(std::size_t bytes) {
  void* const memory = is_refused() ? nullptr : std::malloc(bytes != 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace pyhost::test {

ScarceMemory::ScarceMemory(long allocations) noexcept {
  threads_concerned = {};
  thread_concerned = ::pthread_self();
  allocations_left = allocations;
}

ScarceMemory::ScarceMemory(long allocations, std::string_view threads) noexcept {
  threads_concerned = threads;
  allocations_left = allocations;
}

ScarceMemory::~ScarceMemory() {
  allocations_left = kPlenty;
}

}  // namespace pyhost::test
