// Whether a worker accepts connections.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "os/event_loop.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::supervisor {

// A connection as httpd's children make it, over which nothing is sent; the worker greets, as it
// greets everybody, and that is all. Single-threaded, in the thread of the loop, which outlives it.
class Probe {
 public:
  // `on_greeting` is called from the loop, once, when that process has greeted: the kernel names
  // the sender. It may destroy the probe.
  Probe(os::EventLoop& loop, const std::string& path, pid_t worker,
        std::function<void()> on_greeting);
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe();

  // Whether a greeting may still come.
  bool pending() const noexcept { return socket_.valid(); }

 private:
  void hear();
  void close() noexcept;

  os::EventLoop& loop_;
  const pid_t worker_;
  const std::function<void()> on_greeting_;
  base::UniqueFd socket_;
};

}  // namespace pyhost::supervisor
