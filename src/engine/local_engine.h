// The engine that runs Python in this process.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "asgi/event_loop.h"
#include "engine/local_watch.h"
#include "engine/signal_dispatcher.h"
#include "pyapi/measurements.h"
#include "pyapi/recorder.h"
#include "pyapi/request_record.h"
#include "pyhost/gateway/channel_loops.h"
#include "pyhost/gateway/engine.h"
#include "python/registry.h"
#include "python/runtime.h"
#include "python/script_loader.h"
#include "wsgi/request.h"

namespace pyhost::engine {

// Composes the Python side: one runtime, and for every application group an interpreter with its
// scripts, its WSGI adapter, and its event loop when an application needs one.
class LocalEngine final : public gateway::Engine, private gateway::ChannelLoops {
 public:
  static base::Result<std::unique_ptr<gateway::Engine>> open(gateway::EngineSettings settings,
                                                             base::LogSink& server_log);
  ~LocalEngine() override;

  gateway::Outcome run(const gateway::Target& target,
                       gateway::Exchange& exchange) noexcept override;
  gateway::AskResult ask(const gateway::Target& target, const gateway::Question& question,
                         gateway::Caller& caller) noexcept override;
  base::Result<> prepare(const gateway::Target& target, base::LogSink& sink) noexcept override;
  void announce_stop(std::string_view reason) noexcept override;
  void announce_signal(int signal) noexcept override;
  void stop(std::chrono::milliseconds budget) noexcept override;
  gateway::EngineWatch* watch() noexcept override { return watch_.get(); }
  gateway::ChannelLoops* loops() noexcept override { return this; }

 private:
  LocalEngine(gateway::EngineSettings settings, base::LogSink& server_log)
      : settings_(std::move(settings)),
        server_log_(server_log),
        loading_(*new python::LoadingRules{
            .case_sensitive_paths = settings_.case_sensitive_paths,
            .changed_scripts = settings_.changed_scripts,
            .script_owner = settings_.script_owner,
            .imports_on_main_thread =
                !settings_for_interpreter(settings_, gateway::kMainInterpreter).restrict_signal}) {}

  gateway::Outcome serve(const gateway::Target& target, gateway::Exchange& exchange);
  // Attached, but for what finish() does.
  void serve_in(python::Interpreter& interpreter, wsgi::Request& request,
                pyapi::RequestRecord& record, python::LoadReport& report);
  gateway::AskResult answer(const gateway::Target& target, const gateway::Question& question,
                            gateway::Caller& caller);
  gateway::AskResult answer_in(python::Interpreter& interpreter, const gateway::Target& target,
                               const gateway::Question& question, gateway::Caller& caller,
                               python::LoadReport& report);
  gateway::Outcome with_failure(gateway::Outcome outcome, python::LoadReport report) const;
  static gateway::Outcome refuse_for_memory(const gateway::Target& target,
                                            gateway::Caller& caller) noexcept;
  tl::expected<python::Interpreter*, gateway::Outcome> enter(const gateway::Target& target,
                                                             gateway::Caller& caller);
  static gateway::Outcome refuse_protocol(const gateway::Target& target,
                                          gateway::Exchange& exchange);
  base::Result<> import(const gateway::Target& target, base::LogSink& sink);

  // ChannelLoops
  tl::expected<gateway::ChannelLoop*, gateway::Outcome> place(
      const gateway::Target& target, gateway::Caller& caller) noexcept override;

  void on_lifespan_lost(std::function<void()> told) override { lifespan_lost_ = std::move(told); }

  tl::expected<gateway::ChannelLoop*, gateway::Outcome> find_place(const gateway::Target& target,
                                                                   gateway::Caller& caller);
  // Of an application; nothing when it is a WSGI one.
  static std::optional<asgi::EventLoop::Candidate> candidate_of(python::Attached& py,
                                                                const gateway::Target& target,
                                                                python::Ref application);
  base::Result<gateway::ChannelLoop*> get_ready(python::Interpreter& interpreter,
                                                asgi::EventLoop::Candidate candidate);
  // Gives what is left of the budget.
  std::chrono::milliseconds stop_loops(std::chrono::milliseconds budget);
  base::Result<> set_up(python::Attached& py, python::Interpreter& interpreter);
  python::InterpreterRegistry::Found interpreter_for(std::string_view application_group);

  const gateway::EngineSettings settings_;
  base::LogSink& server_log_;
  // These live on when the engine goes: see Runtime.
  python::LoadingRules& loading_;
  pyapi::Recorder& recorder_ = *new pyapi::Recorder;
  wsgi::BlockPusher& pusher_ = *new wsgi::BlockPusher;
  pyapi::Measurements& measurements_ = *new pyapi::Measurements(settings_, server_log_);
  python::Runtime* runtime_ = nullptr;
  std::unique_ptr<python::InterpreterRegistry> interpreters_;
  std::unique_ptr<LocalWatch> watch_;
  SignalDispatcher* signals_ = nullptr;  // lives on, too
  std::function<void()> lifespan_lost_;
  bool stopped_ = false;
};

}  // namespace pyhost::engine
