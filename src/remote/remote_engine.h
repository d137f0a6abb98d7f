// The engine of a httpd child whose Python runs in worker processes.
#pragma once

#include <memory>

#include "pyhost/gateway/engine.h"
#include "remote/connection_pool.h"
#include "remote/relay.h"
#include "remote/remote_settings.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::remote {

// Whether a request body is received before a worker is asked, so that a slow upload keeps no
// Python thread waiting, or passed on while it comes.
enum class Buffering { off, on };

// Serves one process group. Safe for all threads of the child; needs no Python-sized stack. A
// request that a worker has not begun is given to another one; every failure of the group is one
// record in the request's log.
class RemoteEngine final : public gateway::Engine {
 public:
  // The scoreboard outlives the engine; `child` is the child's on it.
  RemoteEngine(scoreboard::Scoreboard& scoreboard, scoreboard::ChildId child,
               RemoteSettings settings);

  gateway::Outcome run(const gateway::Target& target, gateway::Exchange& exchange,
                       Buffering buffering) noexcept;
  // With Buffering::on.
  gateway::Outcome run(const gateway::Target& target,
                       gateway::Exchange& exchange) noexcept override;
  // Workers import by themselves, from their own settings; nothing is done here.
  base::Result<> preload(const gateway::Target& target, base::LogSink& sink) noexcept override;
  // The process ends, and its connections with it.
  void stop(std::chrono::milliseconds budget) noexcept override;

 private:
  struct Run;

  gateway::Outcome serve(Run& run);
  std::optional<gateway::Outcome> try_once(Run& run, Admission& admission, Lease lease);
  std::optional<gateway::Outcome> go_without(Run& run, Admission& admission, const Worker& worker,
                                             ConnectFailure none) const;
  void note_excess(Run& run, const Worker& worker, const Attempt& attempt) const;
  void note_departure(Run& run, const Worker& worker, std::string_view why) const;
  Attempt complete(Relay& relay, Lease lease, std::unique_ptr<PooledConnection> pooled);
  gateway::Outcome refuse(Run& run, const Refusal& refusal) const;
  gateway::Outcome report(Run& run, const Worker& worker, const Relay& relay,
                          const Attempt& attempt) const;
  gateway::Outcome lose_client(Run& run, const Relay& relay, const Attempt& attempt) const;
  std::string cause_of(const Worker& worker, const Attempt& attempt) const;
  std::string name_of(const Worker& worker) const;

  scoreboard::Scoreboard& scoreboard_;
  const scoreboard::ChildId child_;
  const RemoteSettings settings_;
  ConnectionPool connections_;
};

}  // namespace pyhost::remote
