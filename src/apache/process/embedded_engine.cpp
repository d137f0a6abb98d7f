#include "apache/process/embedded_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "apache/config/config.h"
#include "apache/config/engine_settings.h"
#include "apache/process/httpd_scoreboard.h"
#include "apache/process/received_exchange.h"
#include "base/clock.h"
#include "base/out_of_memory.h"
#include "base/scope_exit.h"
#include "plugin/python_choice.h"
#include "remote/request_body.h"

namespace pyhost::apache {
namespace {

using base::Message;

// httpd kills a child that has not ended about ten seconds after it was told to.
constexpr std::chrono::milliseconds kStopBudget(5000);

gateway::EngineSettings engine_settings(const settings::ProcessSettings& settings,
                                        const plugin::PythonHome& home) {
  const int threads = mpm_number(AP_MPMQ_MAX_THREADS);
  const int processes = mpm_number(AP_MPMQ_MAX_DAEMONS);
  // In a debugger's foreground httpd the terminal belongs to whoever is debugging.
  const bool foreground = ap_exists_config_define("ONE_PROCESS");
  gateway::EngineSettings engine = common_engine_settings("");
  engine.python_program = home.program;
  engine.python_home = home.home;
  if (const auto& path = settings.python_path) engine.python_path = {path->begin(), path->end()};
  engine.multithread = threads > 1;
  engine.multiprocess = processes > 1;
  engine.processes_max = processes;
  engine.threads_max = threads;
  engine.interactive = foreground;
  static const HttpdScoreboard scoreboard;
  if (*settings.server_metrics) engine.server_view_or_null = &scoreboard;
  return engine;
}

}  // namespace

base::Result<plugin::PluginFile> find_plugin() {
  const std::string folder = plugin::folder_of_this_object();
  const auto plugins = plugin::find_plugins(folder);
  if (plugins.empty()) {
    return base::fail(fmt::format("there is no engine plugin pyhost-cpython-X.Y.so in {}", folder));
  }
  return plugins.front();
}

EmbeddedEngine::~EmbeddedEngine() {
  if (engine_ == nullptr) return;
  if (running_ != 0) {
    static_cast<void>(engine_.release());
    return;
  }
  exit_watch_.reset();
  engine_->announce_stop("");
  engine_->stop(kStopBudget);
}

tl::expected<std::unique_ptr<gateway::Engine>, EmbeddedEngine::Failure> EmbeddedEngine::start() {
  const auto fail = [](Message message, std::string sentence) {
    return tl::unexpected(Failure{message, std::move(sentence)});
  };
  const auto any = find_plugin();
  if (!any) return fail(Message::plugin_missing, any.error().sentence);
  const auto& settings = process_settings();
  const auto python = plugin::choose_python(
      plugin::find_plugins(plugin::folder_of_this_object()),
      {.home = std::string(settings.python_home.value_or("")), .version = ""});
  if (!python) {
    return fail(Message::python_start_failed,
                fmt::format("WSGIPythonHome: {}", python.error().sentence));
  }
  const auto plugin = plugin::load_plugin(python->plugin.path);
  if (!plugin) return fail(Message::plugin_missing, plugin.error().sentence);
  gateway::EngineSettings wanted = engine_settings(settings, python->home);
  wanted.metrics = metrics_;
  auto engine = (*plugin)->open(std::move(wanted), server_log_);
  if (engine) return *std::move(engine);
  return tl::unexpected(Failure{.message = Message::python_start_failed,
                                .sentence = std::move(engine).error().sentence,
                                .for_good = true});
}

void EmbeddedEngine::keep(std::unique_ptr<gateway::Engine> engine) {
  engine_ = std::move(engine);
  // A child of another MPM ends in the middle of whatever it does.
  int threaded = AP_MPMQ_NOT_SUPPORTED;
  ap_mpm_query(AP_MPMQ_IS_THREADED, &threaded);
  if (threaded == AP_MPMQ_NOT_SUPPORTED) return;
  exit_watch_.emplace(server_log_);
  const auto started = exit_watch_->start(engine_->watch());
  if (started) return;
  exit_watch_.reset();
  server_log_.log(base::LogLevel::warn, Message::internal_error, started.error().sentence);
}

EmbeddedEngine::Failure EmbeddedEngine::put_off(Failure failure) {
  constexpr std::chrono::seconds kFirst{1}, kLongest{30};
  pause_.length = std::clamp(pause_.length * 2, kFirst, kLongest);
  pause_.over_at = base::Clock::now() + pause_.length;
  failure.sentence += failure.for_good
                          ? "; this process cannot try again, only those after a restart of httpd"
                          : fmt::format("; it is tried again after {} s", pause_.length.count());
  pause_.failure = failure;
  return failure;
}

tl::expected<gateway::Engine*, EmbeddedEngine::Failure> EmbeddedEngine::engine() {
  if (gateway::Engine* ready = ready_.load(std::memory_order_acquire)) return ready;
  const std::lock_guard lock(starting_);
  if (gateway::Engine* ready = ready_.load(std::memory_order_relaxed)) return ready;
  if (const auto& failure = pause_.failure;
      failure && (failure->for_good || base::Clock::now() < pause_.over_at)) {
    return tl::unexpected(*failure);
  }
  auto started = start();
  if (!started) return tl::unexpected(put_off(std::move(started).error()));
  keep(*std::move(started));
  ready_.store(engine_.get(), std::memory_order_release);
  return engine_.get();
}

gateway::Outcome EmbeddedEngine::run(const gateway::Target& target,
                                     gateway::ClientExchange& exchange) noexcept {
  const auto serve = [&] {
    return exchange.buffering() == gateway::Buffering::on
               ? receive_and_run(target, exchange)
               : run_in_python(target, exchange, exchange);
  };
  return base::unless_out_of_memory(serve, [&]() -> gateway::Outcome {
    exchange.log(base::LogLevel::error, Message::memory_exhausted,
                 "there is no memory left for a request, which was given up");
    return {.kind = gateway::Outcome::Kind::refused,
            .status = HTTP_SERVICE_UNAVAILABLE,
            .retry_after_seconds = remote::kRetryAfterSeconds,
            .failure = gateway::FailureCause::out_of_memory};
  });
}

gateway::Outcome EmbeddedEngine::receive_and_run(const gateway::Target& target,
                                                 gateway::ClientExchange& exchange) {
  remote::RequestBody body(exchange);
  if (const auto answer = body.receive(temporary_folder_, target.script)) return *answer;
  ReceivedExchange received(exchange, body);
  return run_in_python(target, exchange, received);
}

// `exchange` is the client's, or stands before it.
gateway::Outcome EmbeddedEngine::run_in_python(const gateway::Target& target,
                                               gateway::ClientExchange& client,
                                               gateway::Exchange& exchange) {
  ++running_;
  const base::ScopeExit leave([this] { --running_; });
  if (const auto engine = this->engine()) {
    std::optional<ExitWatch::Running> watched;
    if (exit_watch_) watched.emplace(*exit_watch_, target, client, exchange.head());
    client.times().sent = base::Clock::now();
    return (*engine)->run(target, exchange);
  } else {
    exchange.log(base::LogLevel::error, engine.error().message, engine.error().sentence);
  }
  return {.kind = gateway::Outcome::Kind::refused,
          .status = HTTP_INTERNAL_SERVER_ERROR,
          .failure = gateway::FailureCause::python_failed};
}

gateway::AskResult EmbeddedEngine::ask(const gateway::Target& target,
                                       const gateway::Question& question,
                                       gateway::ClientCaller& caller) noexcept {
  ++running_;
  const base::ScopeExit leave([this] { --running_; });
  if (const auto engine = this->engine()) {
    std::optional<ExitWatch::Running> watched;
    if (exit_watch_) watched.emplace(*exit_watch_, target, caller, question.head);
    return (*engine)->ask(target, question, caller);
  } else {
    caller.log(base::LogLevel::error, engine.error().message, engine.error().sentence);
  }
  return tl::unexpected(gateway::Outcome{.kind = gateway::Outcome::Kind::refused,
                                         .status = HTTP_INTERNAL_SERVER_ERROR});
}

void EmbeddedEngine::prepare(const gateway::Target& target) {
  ++running_;
  const base::ScopeExit leave([this] { --running_; });
  const auto engine = this->engine();
  if (!engine) {
    server_log_.log(base::LogLevel::error, engine.error().message, engine.error().sentence);
    return;
  }
  // The engine has logged the failure; the script's first request reports it again.
  static_cast<void>((*engine)->prepare(target, server_log_));
}

}  // namespace pyhost::apache
