// What runs the requests of a httpd child: Python in the child itself, and the workers of every
// process group.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apache/config/daemon_group.h"
#include "apache/process/embedded_engine.h"
#include "apache/process/supervision.h"
#include "apache/request/request_exchange.h"
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

  // In the group's workers; nullptr: in this child.
  gateway::Outcome run(const DaemonGroup* group, const gateway::Target& target,
                       RequestExchange& exchange, remote::Buffering buffering);

 private:
  void join_group(const Supervision& supervision, const DaemonGroup& group);

  const std::string temporary_folder_;
  EmbeddedEngine embedded_;
  std::vector<std::unique_ptr<remote::RemoteEngine>> remote_;  // by the number of the group
};

}  // namespace pyhost::apache
