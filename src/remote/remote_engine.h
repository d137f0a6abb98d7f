// Runs the requests of a httpd child whose Python is in worker processes.
#pragma once

#include <memory>

#include "pyhost/gateway/client_exchange.h"
#include "remote/connection_pool.h"
#include "remote/questions.h"
#include "remote/relay.h"
#include "remote/remote_settings.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::remote {

// Serves one process group. Needs no Python-sized stack. A
// request that a worker has not begun is given to another one; every failure of the group is one
// record in the request's log.
class RemoteEngine final : public gateway::ClientRunner {
 public:
  // The scoreboard outlives the engine; `child` is the child's on it.
  RemoteEngine(scoreboard::Scoreboard& scoreboard, scoreboard::ChildId child,
               RemoteSettings settings);

  gateway::Outcome run(const gateway::Target& target,
                       gateway::ClientExchange& exchange) noexcept override;
  gateway::AskResult ask(const gateway::Target& target, const gateway::Question& question,
                         gateway::ClientCaller& caller) noexcept override;

 private:
  struct Run;

  gateway::Outcome serve(Run& run);
  std::optional<gateway::Outcome> try_once(Run& run, Admission& admission, Lease lease);
  std::optional<gateway::Outcome> ask_another(Run& run, Admission& admission, const Worker& worker,
                                              Setback setback) const;
  gateway::Outcome outcome_of(Run& run, const Worker& worker, const Relay& relay,
                              const Attempt& attempt) const;
  gateway::Outcome hand_over(Run& run, const Relay& relay, Lease lease,
                             std::unique_ptr<PooledConnection> pooled);
  void note_excess(Run& run, const Worker& worker, const Attempt& attempt) const;
  void note_departure(Run& run, const Worker& worker, std::string_view why) const;
  Attempt complete(Relay& relay, Lease lease, std::unique_ptr<PooledConnection> pooled);
  gateway::Outcome refuse(Run& run, const gateway::Refusal& refusal) const;
  gateway::Outcome report(Run& run, const Worker& worker, const Relay& relay,
                          const Attempt& attempt) const;
  static gateway::Outcome failed(const Relay& relay, const Attempt& attempt,
                                 gateway::FailureCause failure);
  gateway::Outcome lose_client(Run& run, const Relay& relay, const Attempt& attempt) const;

  scoreboard::Scoreboard& scoreboard_;
  const scoreboard::ChildId child_;
  const RemoteSettings settings_;
  ConnectionPool connections_;
  Questions questions_;
};

}  // namespace pyhost::remote
