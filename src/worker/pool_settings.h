// How a worker serves its requests, and what it asks of whoever has it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "control/worker_settings.h"
#include "pyhost/gateway/channel_loops.h"
#include "pyhost/gateway/group_secret.h"
#include "pyhost/gateway/target.h"
#include "settings/process_group.h"
#include "wire/connection.h"

namespace pyhost::worker {

// What becomes of a request whose script the engine finds outdated.
enum class WhenOutdated {
  send_back,  // RETRY: it is given to another worker
  run_again,  // the change has been accepted meanwhile
};

struct PoolSettings {
  settings::ProcessGroup group;
  std::uint32_t generation = 1;
  std::chrono::milliseconds socket_timeout = wire::kNoTimeout;  // as httpd has resolved it
  uid_t httpd_uid = 0;  // whose connections are served, if they begin with the secret
  gateway::GroupSecret secret;
  control::ServedTargets targets;
  // Where ASGI applications run; null where none do. Outlives the pool.
  gateway::ChannelLoops* loops_or_null = nullptr;
  // Called on a pool thread. Without it, every outdated request is sent back.
  std::function<WhenOutdated(std::string_view script)> on_outdated;
  // The script could not be imported. Called on a pool thread, before the request goes back.
  std::function<void(const gateway::Target& target, std::string_view why)> on_lack;
  // The same, also on a loop's thread, before anything of a reply is sent.
  std::function<void()> before_reply;
  // Called on a pool thread or a loop's, one at a time, whenever another number of requests is
  // running.
  std::function<void(unsigned requests)> on_load;
  // Called on a loop's thread, when an application has done what it does behind a reply.
  std::function<void()> on_progress;
  // An event loop has got its first request.
  std::function<void()> on_loop;
  // Called on a pool thread, perhaps on several, when it cannot go on, because `what` it waits with
  // was closed or replaced. The thread ends behind it.
  std::function<void(std::string_view what)> on_broken;
};

}  // namespace pyhost::worker
