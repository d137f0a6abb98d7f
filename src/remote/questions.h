// Has hook scripts answer in the workers of a process group.
#pragma once

#include <optional>
#include <string>

#include "pyhost/gateway/client_exchange.h"
#include "pyhost/gateway/question.h"
#include "remote/connection_pool.h"
#include "remote/inquiry.h"
#include "remote/remote_settings.h"
#include "scoreboard/scoreboard.h"

namespace pyhost::remote {

// A question takes the same way as a request: the same leases and queue, the same connections, and
// another worker where one has not entered the script. One that may have entered it is never asked
// again. Its lease is given back with the answer, so a hook in the group of the request's own
// application needs no thread beside that. Safe for all threads; what it is made with outlives it.
class Questions {
 public:
  Questions(scoreboard::Scoreboard& scoreboard, scoreboard::ChildId child,
            const RemoteSettings& settings, ConnectionPool& connections) noexcept
      : scoreboard_(scoreboard), child_(child), settings_(settings), connections_(connections) {}

  // Every failure is one record of the caller's log. What is not the script's fault is 503.
  gateway::AskResult ask(const gateway::Target& target, const gateway::Question& question,
                         gateway::ClientCaller& caller);

 private:
  struct Asking;

  std::optional<gateway::AskResult> try_once(Asking& asking, Admission& admission, Lease lease);
  std::optional<gateway::AskResult> ask_another(Asking& asking, Admission& admission,
                                                const Worker& worker, Setback setback) const;
  gateway::AskResult refuse(Asking& asking, const gateway::Refusal& refusal) const;
  gateway::AskResult report(Asking& asking, const Worker& worker, const Attempt& attempt) const;

  scoreboard::Scoreboard& scoreboard_;
  const scoreboard::ChildId child_;
  const RemoteSettings& settings_;
  ConnectionPool& connections_;
};

}  // namespace pyhost::remote
