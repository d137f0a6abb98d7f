// Which children have a WebSocket, where each child has one request at a time.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstddef>
#include <memory>

#include "pyhost/base/result.h"

namespace pyhost::apache {

// Memory that httpd's parent shares with its children, who may be killed at any time: the place of
// a child that has gone is free. Any process.
class SharedPlaces {
 public:
  // Of children that are to be told apart, as many may have a place. Inherited by what is forked
  // off from here on.
  static base::Result<SharedPlaces> make(std::size_t places);
  SharedPlaces(SharedPlaces&&) noexcept = default;

  // One for this process, which has none; null when all are taken.
  std::atomic<pid_t>* take() noexcept;
  static void give_back(std::atomic<pid_t>& place) noexcept { place = 0; }

  std::size_t size() const noexcept { return size_; }

 private:
  struct Unmap {
    std::size_t bytes = 0;
    void operator()(std::atomic<pid_t>* memory) const noexcept;
  };

  SharedPlaces(std::atomic<pid_t>* memory, std::size_t size) noexcept
      : memory_(memory, Unmap{size * sizeof *memory}), size_(size) {}

  std::unique_ptr<std::atomic<pid_t>, Unmap> memory_;
  std::size_t size_;
};

}  // namespace pyhost::apache
