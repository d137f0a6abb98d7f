#include "apache/websocket/shared_places.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pyhost::apache {
namespace {

static_assert(std::atomic<pid_t>::is_always_lock_free);

bool has_gone(pid_t pid) noexcept {
  return ::kill(pid, 0) != 0 && errno == ESRCH;
}

}  // namespace

void SharedPlaces::Unmap::operator()(std::atomic<pid_t>* memory) const noexcept {
  ::munmap(memory, bytes);
}

base::Result<SharedPlaces> SharedPlaces::make(std::size_t places) {
  const std::size_t bytes = places * sizeof(std::atomic<pid_t>);
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return base::fail(fmt::format("no shared memory can be had: {}", std::strerror(errno)));
  }
  return SharedPlaces(static_cast<std::atomic<pid_t>*>(memory), places);
}

std::atomic<pid_t>* SharedPlaces::take() noexcept {
  const pid_t self = ::getpid();
  for (std::size_t i = 0; i < size_; ++i) {
    std::atomic<pid_t>& place = memory_.get()[i];
    pid_t holder = place;
    if (holder != 0 && !has_gone(holder)) continue;
    if (place.compare_exchange_strong(holder, self)) return &place;
  }
  return nullptr;
}

}  // namespace pyhost::apache
