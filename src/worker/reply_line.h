// The sending side of the connection that a request came over.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "pyhost/base/log.h"
#include "wire/connection.h"

namespace pyhost::worker {

// Sends frames to the httpd child, and knows whether that still listens. The exchange's thread
// holds the line while it sends; others may only try to have it. One for all requests of an
// exchange.
class ReplyLine {
 public:
  // Proof that the line is the caller's; parameter of everything that uses it.
  using Held = std::unique_lock<std::mutex>;

  // `reply_timeout` is how long the child may take to accept a piece of what is sent.
  ReplyLine(base::LogSink& process_log, wire::Timeout reply_timeout) noexcept
      : process_log_(process_log), reply_timeout_(reply_timeout) {}
  ReplyLine(const ReplyLine&) = delete;
  ReplyLine& operator=(const ReplyLine&) = delete;

  Held hold() const { return Held(mutex_); }
  Held try_to_hold() const { return Held(mutex_, std::try_to_lock); }

  // From here on it is that connection, for a request that is called `script` where its loss is
  // logged.
  void begin(const Held&, wire::Connection& connection, std::string_view script);
  // END has left: the connection is somebody else's.
  void release(const Held&) noexcept { connection_or_null_ = nullptr; }

  bool is_released(const Held&) const noexcept { return connection_or_null_ == nullptr; }
  bool is_lost(const Held&) const noexcept { return lost_; }
  // Whether frames may be sent.
  bool is_open(const Held&) const noexcept { return connection_or_null_ != nullptr && !lost_; }
  // PRECONDITION: not released.
  wire::Connection& connection(const Held&) const noexcept { return *connection_or_null_; }

  // What is to be sent next. flush() and send_at_once() leave it empty.
  wire::FrameBatch& batch(const Held&) noexcept { return batch_; }
  // Sends it, waiting for the child. False when the child has gone, or has taken nothing for too
  // long. PRECONDITION: is_open().
  bool flush(const Held&);
  // Sends it unless that takes waiting. A full connection may only be that of a slow client; but
  // what has left in part cannot be taken back.
  bool send_at_once(const Held&);
  // Drops it. What has left of it cannot be taken back: the child is lost then.
  void drop(const Held&) noexcept;

  // Whether the child has closed or has sent ABORT, as far as has arrived.
  bool client_gone(const Held&) noexcept;
  // The child has gone or cannot be understood: nothing more is sent.
  void lose(const Held&, std::string_view why) noexcept;

  // The child has been asked for the body, and sends it or not: what arrives does not end the
  // reply. By the exchange's thread.
  void await_body(bool awaits) noexcept { awaits_body_ = awaits; }

 private:
  bool await_room(const Held&, base::Clock::time_point full_since) noexcept;

  base::LogSink& process_log_;
  const wire::Timeout reply_timeout_;
  std::atomic<bool> awaits_body_ = false;
  mutable std::mutex mutex_;
  wire::Connection* connection_or_null_ = nullptr;  // what follows is guarded by mutex_
  bool lost_ = false;
  std::string script_;
  wire::FrameBatch batch_;
};

}  // namespace pyhost::worker
