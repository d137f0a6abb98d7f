// What is sent where between a WebSocket's client and its worker.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "pyhost/gateway/tunnel.h"

namespace pyhost::apache {

// Moves the bytes of one socket both ways, a step at a time. Knows neither threads nor httpd, and
// waits for nothing: whoever drives it does. What is on its way lies at the ends, which take no
// more than they have room for, so that each end is slowed down by the other.
class StreamRelay {
 public:
  // In one direction and step.
  static constexpr std::size_t kStepBytes = 64 * 1024;
  // How long a worker may take to end a stream whose client has ended it.
  static constexpr std::chrono::seconds kLastWords{10};
  // How much longer than its drain a worker may take that was told to leave.
  static constexpr std::chrono::seconds kDrainGrace{5};

  // Both ends outlive it.
  StreamRelay(gateway::StreamEnd& client, gateway::Tunnel& worker) noexcept
      : client_(client), worker_(worker) {}

  // What to wait for before the next step.
  struct Wants {
    bool client_in = false;
    bool client_out = false;
    bool worker_in = false;
    bool worker_out = false;
    bool at_once = false;  // nothing: there may be more

    bool operator==(const Wants&) const = default;
  };
  // Moves what there is, and says what to wait for. No more is to be done once it is over().
  Wants step(base::TimePoint now);
  // When step() is due although nothing has happened.
  std::optional<base::TimePoint> due() const noexcept;

  // The child is about to end: so is the stream, by its worker within the drain. Once.
  void leave(gateway::Leaving leaving, base::TimePoint now);
  // Ends it now.
  void cut(gateway::StreamEnding ending) noexcept { end(ending); }

  // How the stream has ended, if it has.
  const std::optional<gateway::StreamEnding>& over() const noexcept { return over_; }
  // Whether the client has taken all that it was sent.
  bool client_has_all() const noexcept { return !client_behind_since_ && !client_gone_; }
  std::uint64_t bytes_from_client() const noexcept { return from_client_; }
  std::uint64_t bytes_to_client() const noexcept { return to_client_; }

 private:
  using Room = gateway::StreamEnd::Room;

  void feed_client(base::TimePoint now);
  void feed_worker(base::TimePoint now);
  void drop_what_comes();
  void note_room_of_client(Room room, base::TimePoint now) noexcept;
  void give_worker_until(base::TimePoint moment) noexcept;
  void end(gateway::StreamEnding ending) noexcept;
  Wants wants() const noexcept;

  gateway::StreamEnd& client_;
  gateway::Tunnel& worker_;
  std::uint64_t from_client_ = 0;
  std::uint64_t to_client_ = 0;
  Room worker_room_ = Room::free;
  bool client_gone_ = false;
  bool told_end_ = false;   // the worker, of the client's
  bool left_over_ = false;  // by the last step
  bool leaving_ = false;
  std::optional<base::TimePoint> client_behind_since_;
  std::optional<base::TimePoint> worker_until_;
  std::optional<gateway::StreamEnding> over_;
};

}  // namespace pyhost::apache
