// Serves the requests and questions of a worker.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "pyhost/base/log.h"
#include "pyhost/gateway/channel_loops.h"
#include "pyhost/gateway/runner.h"
#include "worker/channel_set.h"
#include "worker/connections.h"
#include "worker/known_targets.h"
#include "worker/pool_settings.h"
#include "worker/worker_exchange.h"

namespace pyhost::worker {

// One message on one connection at a time, by whatever thread has it: hears the greeting, reads the
// request or question, checks what it is to run, runs it, and gives the connection back. May be
// used by any thread.
class RequestServer : private ChannelHost {
 public:
  // `on_served` is called when a request is over and no longer counted. All of it outlives the
  // server.
  RequestServer(gateway::Runner& runner, Connections& connections, const PoolSettings& settings,
                base::LogSink& log, std::function<void()> on_served) noexcept
      : runner_(runner),
        connections_(connections),
        settings_(settings),
        log_(log),
        on_served_(std::move(on_served)) {}

  // Takes what has come over `child`, and gives that back or closes it.
  void serve(ChildConnection& child, WorkerExchange& exchange) noexcept;

  // Answers further requests with RETRY. Running ones go on; WebSockets are closed. A second call
  // may hurry those.
  void drain(gateway::Leaving why);
  // Requests for other scripts than these, as script_key() has them, are sent back. At most once.
  void keep_only(std::vector<std::uint64_t> scripts);

  // How many requests were taken and not left, or have something done behind their reply. After
  // drain() it only falls for good.
  unsigned active() const;

  // Of the requests in event loops; as ChannelSet has them.
  void add_running(std::vector<RunningRequest>& running) const;
  unsigned streams() const;
  std::optional<base::TimePoint> last_end() const;
  bool with(std::uint64_t number, const std::function<void(WatchedRequest&)>& act) const;
  // Calls PoolSettings::on_load as if the number of requests had changed.
  void repeat_load();

 private:
  bool read_frame(ChildConnection& child, wire::Frame& frame, wire::Timeout timeout);
  bool hear_greeting(ChildConnection& child);
  void take_message(ChildConnection& child, WorkerExchange& exchange);
  // Whether it goes on in an event loop.
  bool serve_request(ChildConnection& child, std::string_view payload, WorkerExchange& exchange);
  void serve_question(ChildConnection& child, std::string_view payload, WorkerExchange& exchange);
  // Sets `loop_or_null` when an event loop is to have the request.
  gateway::Outcome run_application(WorkerExchange& exchange, gateway::ChannelLoop*& loop_or_null);
  gateway::Outcome run_once(const gateway::Target& target, WorkerExchange& exchange,
                            gateway::ChannelLoop*& loop_or_null);
  base::Result<ChannelSet*> set_of(gateway::ChannelLoop& loop);
  bool hand_over(gateway::ChannelLoop& loop, ChildConnection& child, WorkerExchange& exchange);
  gateway::AskResult answer(WorkerExchange& exchange);
  std::optional<gateway::Outcome> refuse_target(const gateway::Target& target, bool is_configured,
                                                WorkerExchange& exchange);
  bool is_to_run_again(const gateway::Target& target, const gateway::Outcome& outcome);
  bool keeps(const gateway::Target& target) const;
  void count(int change);

  // ChannelHost
  base::LogSink& log() noexcept override { return log_; }
  bool is_draining() const noexcept override { return draining_; }
  bool serves(const gateway::Target& target) const override;
  void request_came() override { count(1); }
  void request_left() override;
  std::uint64_t next_number() noexcept override { return ++last_number_; }
  void before_reply() override;
  void channel_over() override;
  void close(const ChildConnection& child) override { connections_.close(child); }
  void pass_on(ChildConnection& child) override { connections_.pass_on(child); }
  void reject(ChildConnection& child, std::string_view why) override;
  void answer_retry(ChildConnection& child, std::string_view why) override;

  gateway::Runner& runner_;
  Connections& connections_;
  const PoolSettings& settings_;
  base::LogSink& log_;
  const std::function<void()> on_served_;
  std::atomic<bool> draining_ = false;
  std::vector<std::uint64_t> kept_scripts_;  // not changed once the next one is true
  std::atomic<bool> keeps_some_only_ = false;
  // Held while on_load is called, so that the last number is the one that counts.
  mutable std::mutex load_mutex_;
  unsigned active_ = 0;  // guarded by it
  KnownTargets wsgi_targets_;
  std::atomic<std::uint64_t> last_number_ = 0;  // of a request in a loop
  mutable std::mutex sets_mutex_;
  // Guarded by it. Loops use them for as long as the process lives.
  std::map<gateway::ChannelLoop*, ChannelSet*> sets_;
  gateway::Leaving leaving_{};  // guarded by it; of draining_
};

}  // namespace pyhost::worker
