// Python inside an httpd child.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "apache/exit_watch.h"
#include "apache/httpd_api.h"
#include "apache/log.h"
#include "pyhost/gateway/engine.h"
#include "pyhost/gateway/plugin_loader.h"

namespace pyhost::apache {

// The newest engine plugin beside the module, or a sentence that says where was looked.
base::Result<gateway::PluginFile> find_plugin();

// One per child, in the child's pool. Loads the plugin at the first request or preload.
class EmbeddedEngine {
 public:
  EmbeddedEngine() = default;
  // Ends Python, unless a request is still running: httpd's prefork MPM ends a child from within a
  // signal handler.
  ~EmbeddedEngine();

  // Runs the target, and logs to the exchange when there is no engine. Any worker thread.
  gateway::Outcome run(const gateway::Target& target, gateway::Exchange& exchange);

  // Imports the target's script; failures are logged. The child's main thread, before any run().
  void preload(const gateway::Target& target);

 private:
  // The engine, started by the first caller; null when that has failed.
  gateway::Engine* engine_or_null();
  void start();
  void watch_exit();

  ServerLog server_log_;
  std::once_flag started_;
  std::unique_ptr<gateway::Engine> engine_;
  base::Message failure_ = base::Message::none;  // and why, when there is no engine
  std::string failure_text_;
  std::atomic<int> running_ = 0;
  std::optional<ExitWatch> exit_watch_;  // with a threaded MPM, and with the engine
};

}  // namespace pyhost::apache
