// The life of a worker: when its requests are interrupted, when it asks for a successor, drains and
// ends. No threads, no descriptors, no clock of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "control/end_reason.h"
#include "control/worker_limits.h"
#include "worker/running_request.h"

namespace pyhost::worker {

using control::EndReason;

// "request_timeout": what applications are told, in mod_wsgi's words where it has one.
std::string_view shutdown_reason(EndReason reason) noexcept;

// How the worker stands at a moment.
struct Observation {
  base::TimePoint now;
  std::span<const RunningRequest> running;
  unsigned active = 0;   // requests that were taken and not left, running or about to
  unsigned sockets = 0;  // WebSockets among them
  std::uint64_t served = 0;
  std::optional<base::TimePoint> last_end;            // of a request, or of a WebSocket's message
  std::optional<base::TimePoint> lock_waited_since;   // an interpreter's lock cannot be had
  bool has_loops = false;                             // event loops
  std::optional<base::TimePoint> loop_blocked_since;  // the one that has not turned for longest
  bool script_loaded = false;                         // any, ever
  std::uint64_t resident_bytes = 0;
};

// What is to be done now.
struct LifeOrder {
  enum class Kind {
    interrupt,        // `request`: raise RequestTimeout in it
    interrupt_again,  // the same request may not have been in Python the first time
    give_up,          // `request`: answer it, and say gave_up(); its exchange is lost
    give_up_again,    // the same request: it was not said
    name_blocked,     // log what the event loop runs that does not turn
    ask_successor,    // tell the supervisor, and go on serving until it says SIGTERM
    drain,            // take no more requests, and tell the supervisor unless it wants that
    hurry_sockets,    // a drain is to close WebSockets at once: httpd ends
    end,              // end the interpreters and the process
    end_at_once,      // only the process: Python cannot be reached
  };
  Kind kind{};
  EndReason reason{};
  RunningRequest request{};

  bool operator==(const LifeOrder&) const = default;
};

// Not synchronised. Its owner calls step() after every event and at next_deadline(), and carries
// the orders out. Limits of 0 are off.
//
// Ends that nothing forces are left to the supervisor, which has the successor ready first. A
// request that was given up is not waited for.
class WorkerLife {
 public:
  // `served_max` is limits.requests_max with its jitter.
  WorkerLife(const control::WorkerLimits& limits, std::uint64_t served_max, base::TimePoint started)
      : limits_(limits), served_max_(served_max), started_(started) {}

  // The supervisor wants the worker to end. A second call does not wait for requests any more.
  void stop(base::TimePoint now);
  // httpd ends: requests have no more than shutdown_timeout from now.
  void hurry(base::TimePoint now);
  // The worker is to be replaced, for a reason that a signal has brought.
  void replace(EndReason reason) noexcept;
  // The order to give that request up has been carried out.
  void gave_up(const RunningRequest& request) noexcept;

  // To be called again at once when the orders are to drain.
  // Without memory for the orders nothing has changed.
  std::vector<LifeOrder> step(const Observation& seen);
  // How many orders step() may give at most.
  static std::size_t orders_max(const Observation& seen) noexcept {
    constexpr std::size_t kWithoutRequest = 5, kOfARequest = 2;
    return kWithoutRequest + kOfARequest * seen.running.size();
  }
  // When step() has something to do although no event has come; as of the last step().
  std::optional<base::TimePoint> next_deadline() const noexcept { return next_deadline_; }

  bool draining() const noexcept { return drain_until_.has_value(); }
  // Whether httpd ends.
  bool hurried() const noexcept { return hurried_; }
  // What the supervisor was told when it was asked for a successor; nothing when it was not.
  std::optional<EndReason> successor_asked_for() const noexcept {
    return successor_asked_ ? replace_for_ : std::nullopt;
  }

 private:
  // A request whose time was over.
  struct Overdue {
    RunningRequest request;
    base::TimePoint interrupted_at;
    base::TimePoint interrupt_again_at;
    std::optional<base::TimePoint> give_up_again_at;  // nothing before it is to be given up
    bool given_up = false;
  };

  using Orders = std::vector<LifeOrder>;

  void attend_requests(const Observation& seen, Orders& orders);
  void attend(const RunningRequest& request, base::TimePoint now, Orders& orders);
  void give_up(Overdue& overdue, base::TimePoint now, Orders& orders);
  void attend_startup(const Observation& seen, Orders& orders);
  void attend_loops(const Observation& seen, Orders& orders);
  std::optional<EndReason> reached_limit(const Observation& seen) const noexcept;
  void drain(EndReason reason, base::TimePoint now, Orders& orders);
  Overdue* find(const RunningRequest& request) noexcept;
  unsigned given_up() const noexcept;
  std::optional<base::TimePoint> deadline_after(const Observation& seen) const noexcept;

  const control::WorkerLimits limits_;
  const std::uint64_t served_max_;
  const base::TimePoint started_;
  std::vector<Overdue> overdue_;
  std::optional<base::TimePoint> first_request_;
  std::optional<base::TimePoint> named_blocked_;  // since when that loop had not turned
  std::optional<EndReason> replace_for_;          // the first reason wins
  bool successor_asked_ = false;
  bool stopped_ = false;
  bool hurried_ = false;
  bool stop_ordered_ = false;   // stop() was called; its drain is not ordered yet
  bool hurry_ordered_ = false;  // hurry() was called during a drain, which does not know yet
  std::optional<base::TimePoint> drain_until_;
  bool ended_ = false;
  std::optional<base::TimePoint> next_deadline_;
};

}  // namespace pyhost::worker
