// A WebSocket's connection to the worker that has it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "pyhost/gateway/socket_counts.h"
#include "pyhost/gateway/tunnel.h"
#include "remote/admission.h"
#include "remote/connection_pool.h"
#include "remote/relay.h"
#include "remote/worker_records.h"

namespace pyhost::remote {

// Turns frames into bytes and bytes into frames. The worker is trusted no more than with a reply:
// what it may not send ends the stream. Records go to the request's log as they come. Its
// connection is closed with it.
class WorkerTunnel final : public gateway::Tunnel {
 public:
  // What the request has come to so far.
  struct Request {
    std::string script;
    scoreboard::ChildId child;
    base::TimePoint began;
    base::TimePoint sent_at;  // to the worker
  };

  // Scoreboard, settings and log outlive it. The connection has given the head with status 101.
  WorkerTunnel(scoreboard::Scoreboard& scoreboard, const RemoteSettings& settings,
               base::LogSink& log, Request request, Lease lease,
               std::unique_ptr<PooledConnection> pooled);
  WorkerTunnel(const WorkerTunnel&) = delete;
  WorkerTunnel& operator=(const WorkerTunnel&) = delete;
  ~WorkerTunnel() override { scoreboard_.close_socket(request_.child); }

  std::string_view look() override;
  void consume(std::size_t bytes) noexcept override { rest_.remove_prefix(bytes); }
  bool ended() const noexcept override { return end_ && rest_.empty(); }
  std::size_t send(std::string_view bytes) override;
  Room flush() override;

  int fd() const noexcept override { return pooled_->connection.fd(); }
  bool worker_has_died() noexcept override;
  void send_end() override { end_wanted_ = true; }
  void leave(gateway::Leaving leaving) override { leaving_ = leaving; }
  std::chrono::milliseconds patience() const noexcept override;
  std::chrono::milliseconds drain() const noexcept override {
    return settings_.group.websocket_drain;
  }
  gateway::Outcome finish(gateway::StreamEnding ending) override;

 private:
  void take_frames();
  void take(const wire::Frame& frame);
  void take_piece(std::string_view bytes);
  void take_counts(const wire::Frame& frame);
  void take_end(const wire::Frame& frame);
  void take_error(const wire::Frame& frame);
  void receive();
  void end_with(Attempt attempt);
  void lose();
  void refuse(std::string what);
  bool batch_next();
  void abort();
  gateway::RunFigures believed(const gateway::RunFigures& figures) const noexcept;
  gateway::Outcome outcome_of_worker() const;
  gateway::Outcome report(const Attempt& attempt) const;
  bool has_given_up_client() const;
  void note(base::LogLevel level, base::Message message, std::string_view what) const;

  scoreboard::Scoreboard& scoreboard_;
  const RemoteSettings& settings_;
  base::LogSink& log_;
  const Request request_;
  std::optional<Lease> lease_;
  std::unique_ptr<PooledConnection> pooled_;
  WorkerRecords records_;
  std::string_view rest_;       // of the frame that came last; lies in the connection's buffer
  std::optional<Attempt> end_;  // behind `rest_`
  bool sending_ = false;        // the batch has begun to leave
  bool hears_nothing_ = false;  // the worker, that has closed its end
  bool died_ = false;
  bool was_cut_ = false;  // in the middle of a frame
  std::uint16_t close_code_ = gateway::kClosedAbnormally;
  bool end_wanted_ = false;
  std::optional<gateway::Leaving> leaving_;
};

}  // namespace pyhost::remote
