// Where a httpd child has its requests run: in the child itself, and in the workers of every
// process group.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "apache/config/daemon_group.h"
#include "apache/process/embedded_engine.h"
#include "apache/process/supervision.h"
#include "pyhost/gateway/client_exchange.h"

namespace pyhost::apache {

// One per child, in the child's pool. Any worker thread may ask for a runner.
class ChildEngines {
 public:
  // The supervision is the parent's, inherited.
  explicit ChildEngines(Supervision& supervision);
  // The engines of groups are left alone: httpd's prefork MPM ends a child from within a signal
  // handler, and the process ends anyway.
  ~ChildEngines();

  EmbeddedEngine& embedded() noexcept { return embedded_; }

  // Those of this child, for httpd gives its hooks no other way to them: made when the child
  // starts, in its pool.
  static void start(apr_pool_t* pchild, Supervision& supervision);
  // Null in a process that is none: where a configuration is only looked at.
  static ChildEngines* of_this_child_or_null() noexcept;
  static ChildEngines& of_this_child() noexcept { return *of_this_child_or_null(); }

  // Of the group's workers; nullptr: of this child.
  gateway::ClientRunner& runner(const DaemonGroup* group) noexcept;
  // Where the requests of that group are counted; nothing where this child has no part in it.
  std::optional<scoreboard::Tally> tally(const DaemonGroup* group) const noexcept;

 private:
  // A group as this child has it.
  struct Membership {
    std::unique_ptr<gateway::ClientRunner> runner;
    std::optional<scoreboard::Tally> tally;
  };

  Membership join(const Supervision& supervision, const DaemonGroup& group) const;

  const std::string temporary_folder_;
  EmbeddedEngine embedded_;
  std::optional<scoreboard::Tally> embedded_tally_;
  std::vector<Membership> groups_;  // by their number
};

}  // namespace pyhost::apache
