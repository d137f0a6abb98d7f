// A worker's connections from httpd's children.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "base/clock.h"
#include "pyhost/base/unique_fd.h"
#include "wire/connection.h"

namespace pyhost::worker {

// A connection, and whether it waits for a request.
struct ChildConnection {
  ChildConnection(std::uint64_t number, base::UniqueFd socket)
      : id(number), connection(std::move(socket), wire::Descriptors::refused) {}

  const std::uint64_t id;  // never given twice
  wire::Connection connection;
  bool idle = false;
  bool used = false;     // for a request
  bool greeted = false;  // as httpd does
  std::chrono::steady_clock::time_point idle_since{};
};

// All of them. Whoever hears of one by its id may find that it has been closed meanwhile; one that
// is not idle belongs to the thread that has taken it. Not synchronised. A connection that is
// closed with something in it that nobody has read tells its child so, which asks somebody else.
class ChildConnections {
 public:
  // Ids begin with `first`.
  explicit ChildConnections(std::uint64_t first) noexcept : next_(first) {}

  // Not idle yet.
  ChildConnection& add(base::UniqueFd socket);
  void set_idle(ChildConnection& child, base::TimePoint now) noexcept;
  // An idle one for what has come over it, which makes it a used one; null when it has gone.
  ChildConnection* take(std::uint64_t id) noexcept;
  void close(std::uint64_t id) { connections_.erase(id); }

  // Closes those that have been idle since before `moment`.
  void close_idle_since(base::TimePoint moment);
  // Closes the one that has been idle for the longest; false when none is. Spares those that have
  // had no request yet: theirs is about to come.
  bool close_idlest();

  // For a process that was forked off: closes the descriptors and nothing else.
  void close_descriptors() const noexcept;

 private:
  std::unordered_map<std::uint64_t, std::unique_ptr<ChildConnection>> connections_;
  std::uint64_t next_;
};

}  // namespace pyhost::worker
