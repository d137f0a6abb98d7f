// What runs the requests of a httpd child: Python in the child itself, and the workers of every
// process group.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "apache/config.h"
#include "apache/embedded_engine.h"
#include "apache/supervision.h"
#include "metrics/scoreboard.h"
#include "remote/remote_engine.h"

namespace pyhost::apache {

// One per child, in the child's pool. Any worker thread may call run().
class ChildEngines {
 public:
  // The supervision is the parent's, inherited.
  explicit ChildEngines(const Supervision& supervision);
  // The engines of groups are left alone: httpd's prefork MPM ends a child from within a signal
  // handler, and the process ends anyway.
  ~ChildEngines();

  EmbeddedEngine& embedded() noexcept { return embedded_; }

  // Of the workers; null when there are none, or when it could not be opened.
  const metrics::Scoreboard* scoreboard_or_null() const noexcept { return scoreboard_.get(); }

  // In the group's workers; nullptr: in this child.
  gateway::Outcome run(const DaemonGroup* group, const gateway::Target& target,
                       gateway::Exchange& exchange, remote::Buffering buffering);

 private:
  void join_groups(const Supervision& supervision);

  EmbeddedEngine embedded_;
  std::unique_ptr<metrics::Scoreboard> scoreboard_;
  std::vector<std::unique_ptr<remote::RemoteEngine>> remote_;  // by the index of the group
};

}  // namespace pyhost::apache
