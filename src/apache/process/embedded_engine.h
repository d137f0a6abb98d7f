// Python inside an httpd child.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "apache/httpd_api.h"
#include "apache/log.h"
#include "apache/process/exit_watch.h"
#include "base/clock.h"
#include "plugin/plugin_loader.h"
#include "pyhost/gateway/client_exchange.h"
#include "pyhost/gateway/engine.h"

namespace pyhost::apache {

// The engine plugin for what names no Python, or a sentence that says where was looked.
base::Result<plugin::PluginFile> find_plugin();

// One per child, in the child's pool. Loads the plugin at the first request or preload; what keeps
// it from starting Python is looked at again after a pause that grows from 1 s to 30 s.
class EmbeddedEngine final : public gateway::ClientRunner {
 public:
  // Large request bodies that are received first lie in that folder.
  explicit EmbeddedEngine(const std::string& temporary_folder) noexcept
      : temporary_folder_(temporary_folder) {}
  // Where what applications measure is kept. Before any run().
  void keep_metrics_in(const gateway::MetricsMemory& metrics) noexcept { metrics_ = metrics; }
  // Ends Python, unless a request is still running: httpd's prefork MPM ends a child from within a
  // signal handler.
  ~EmbeddedEngine() override;

  // Logs to the exchange when there is no engine.
  gateway::Outcome run(const gateway::Target& target,
                       gateway::ClientExchange& exchange) noexcept override;

  gateway::AskResult ask(const gateway::Target& target, const gateway::Question& question,
                         gateway::ClientCaller& caller) noexcept override;

  // Imports the target's script; failures are logged. The child's main thread, before any run().
  void prepare(const gateway::Target& target);

 private:
  // Why there is no engine.
  struct Failure {
    base::Message message;
    std::string sentence;
    // CPython cannot be started again where it has not got beyond half of its start.
    bool for_good = false;
  };
  // Failed starts in this child, and when the next one is due.
  struct Pause {
    std::optional<Failure> failure;
    std::chrono::seconds length{0};
    base::Clock::time_point over_at{};
  };

  gateway::Outcome receive_and_run(const gateway::Target& target,
                                   gateway::ClientExchange& exchange);
  gateway::Outcome run_in_python(const gateway::Target& target, gateway::ClientExchange& client,
                                 gateway::Exchange& exchange);
  // Starts the engine when that is due.
  tl::expected<gateway::Engine*, Failure> engine();
  tl::expected<std::unique_ptr<gateway::Engine>, Failure> start();
  void keep(std::unique_ptr<gateway::Engine> engine);
  Failure put_off(Failure failure);

  const std::string& temporary_folder_;
  ServerLog server_log_;
  gateway::MetricsMemory metrics_;
  std::mutex starting_;
  Pause pause_;                              // guarded by it
  std::unique_ptr<gateway::Engine> engine_;  // set once, before the next one is
  std::atomic<gateway::Engine*> ready_ = nullptr;
  std::atomic<int> running_ = 0;
  std::optional<ExitWatch> exit_watch_;  // with a threaded MPM, and with the engine
};

}  // namespace pyhost::apache
