#include "engine/local_engine.h"

#include <fmt/format.h>

#include "base/out_of_memory.h"
#include "base/short_text.h"
#include "engine/application_group.h"
#include "engine/capabilities.h"
#include "engine/import_notice.h"
#include "engine/interpreter_setup.h"
#include "hooks/call.h"
#include "pyapi/apache_module.h"
#include "pyapi/events.h"
#include "pyapi/log_handler.h"
#include "pyapi/module.h"
#include "pyapi/request_record.h"
#include "pyhost/gateway/http_status.h"
#include "python/log_stream.h"
#include "python/request_context.h"
#include "wsgi/request.h"

namespace pyhost::engine {
namespace {

using base::LogLevel;
using base::Message;
using gateway::FailureCause;
using gateway::Outcome;
using python::Attached;
using python::AttachScope;
using python::Interpreter;
using python::InterpreterRegistry;
using python::Runtime;

constexpr unsigned kRetryAfterSeconds = 1;

}  // namespace

base::Result<std::unique_ptr<gateway::Engine>> LocalEngine::open(gateway::EngineSettings settings,
                                                                 base::LogSink& server_log) {
  std::unique_ptr<LocalEngine> engine(new LocalEngine(std::move(settings), server_log));
  LocalEngine& self = *engine;
  auto runtime = Runtime::start(
      settings_for_interpreter(self.settings_, gateway::kMainInterpreter), server_log,
      [&self](Attached& py, Interpreter& interpreter) { return self.set_up(py, interpreter); });
  if (!runtime) {
    self.stopped_ = true;
    return tl::unexpected(runtime.error());
  }
  self.runtime_ = runtime->release();
  self.interpreters_ = std::make_unique<InterpreterRegistry>(
      *self.runtime_, self.settings_.interpreters_max, [&self](std::string_view application_group) {
        return settings_for_interpreter(self.settings_, application_group).own_lock
                   ? python::InterpreterLock::own
                   : python::InterpreterLock::shared;
      });
  self.watch_ = std::make_unique<LocalWatch>(*self.interpreters_, self.loading_);
  self.signals_ = new SignalDispatcher(*self.interpreters_, self.settings_.thread_signals);
  return engine;
}

LocalEngine::~LocalEngine() {
  if (!stopped_) stop(std::chrono::milliseconds::zero());
}

base::Result<> LocalEngine::set_up(Attached& py, Interpreter& interpreter) {
  PH_TRY(streams, python::LogStreams::make(py, settings_.logging));
  PH_TRY_VOID(prepare_interpreter(
      py, interpreter, settings_for_interpreter(settings_, interpreter.name()), streams));
  PH_TRY(adapter, wsgi::Adapter::make(py, settings_, std::move(streams)));
  PH_TRY(module, pyapi::install_module(py, settings_,
                                       {.file_wrapper_type = adapter.file_wrapper_type(),
                                        .request_timeout = adapter.request_timeout(),
                                        .streams = adapter.streams(),
                                        .recorder = recorder_,
                                        .measurements = measurements_}));
  PH_TRY_VOID(pyapi::install_apache_module(py, settings_));
  if (settings_.logging.handler != gateway::Logging::Handler::none &&
      !pyapi::add_root_handler(py)) {
    return base::fail("WSGILogging: " + python::PythonError::take(py).summary(py));
  }
  interpreter.set_resident(
      std::make_unique<ApplicationGroup>(std::move(adapter), std::move(module), loading_));
  const python::DetachScope detached(py);
  server_log_.log(LogLevel::info, Message::interpreter_created,
                  fmt::format("created {}", interpreter.phrase()));
  return {};
}

InterpreterRegistry::Found LocalEngine::interpreter_for(std::string_view application_group) {
  if (Interpreter* recent = python::recent_interpreter_or_null(application_group)) return recent;
  return interpreters_->get_or_create(application_group);
}

Outcome LocalEngine::run(const gateway::Target& target, gateway::Exchange& exchange) noexcept {
  return base::unless_out_of_memory([&] { return serve(target, exchange); },
                                    [&] { return refuse_for_memory(target, exchange); });
}

Outcome LocalEngine::refuse_for_memory(const gateway::Target& target,
                                       gateway::Caller& caller) noexcept {
  const base::ShortText text("there is no memory left for a request, which was given up: {}",
                             target.script);
  caller.log(LogLevel::error, Message::memory_exhausted, text.view());
  return {.kind = Outcome::Kind::refused,
          .status = gateway::kServiceUnavailable,
          .retry_after_seconds = kRetryAfterSeconds,
          .failure = FailureCause::out_of_memory};
}

Outcome LocalEngine::refuse_protocol(const gateway::Target& target, gateway::Exchange& exchange) {
  exchange.log(
      LogLevel::error, Message::protocol_unknown,
      fmt::format("{} is to be run by the {} protocol, for which there is no event loop here",
                  target.script, name_of(target.protocol)));
  return {.kind = Outcome::Kind::refused,
          .status = gateway::kInternalServerError,
          .failure = FailureCause::target_refused};
}

// The application group's interpreter, or why there is none.
tl::expected<Interpreter*, Outcome> LocalEngine::enter(const gateway::Target& target,
                                                       gateway::Caller& caller) {
  const auto interpreter = interpreter_for(target.application_group);
  if (interpreter) return *interpreter;
  const auto& failure = interpreter.error();
  caller.log(LogLevel::error, failure.message, failure.sentence);
  Outcome outcome{.kind = Outcome::Kind::refused,
                  .status = gateway::kInternalServerError,
                  .failure = FailureCause::interpreter_failed};
  if (failure.message == Message::interpreter_limit) {
    outcome.status = gateway::kServiceUnavailable;
    outcome.retry_after_seconds = kRetryAfterSeconds;
  }
  return tl::unexpected(std::move(outcome));
}

Outcome LocalEngine::serve(const gateway::Target& target, gateway::Exchange& exchange) {
  if (needs_loop(target.protocol)) return refuse_protocol(target, exchange);
  const python::StarvationWatch::InFlight in_flight(runtime_->starvation_watch());
  const auto interpreter = enter(target, exchange);
  if (!interpreter) return interpreter.error();
  wsgi::Request request(target, exchange, settings_.logging, pusher_);
  pyapi::RequestRecord record(recorder_);
  python::LoadReport report;
  serve_in(**interpreter, request, record, report);
  const Outcome outcome = with_failure(request.finish(), std::move(report));
  record.end({.head = exchange.head(),
              .outcome = outcome,
              .status = request.response().status(),
              .meter_or_null = request.full_meter_or_null()},
             application_group_of(**interpreter).module->place);
  return outcome;
}

void LocalEngine::serve_in(Interpreter& interpreter, wsgi::Request& request,
                           pyapi::RequestRecord& record, python::LoadReport& report) {
  const gateway::Target& target = request.target();
  gateway::Exchange& exchange = request.exchange();
  ApplicationGroup& group = application_group_of(interpreter);
  pyapi::ModuleState& module = *group.module;
  if (record.begin() || module.is_observed()) request.measure();
  const base::TimePoint asked_for_lock = base::Clock::now();
  AttachScope py(interpreter);
  request.note_interpreter_wait(base::Clock::now() - asked_for_lock);
  const python::RequestContext context(py, group.adapter.streams(), request.link(), request.logs(),
                                       &request);
  const pyapi::ActiveRequests::Scope among_others(py, module.active_requests, exchange.head(),
                                                  request.data());
  ActiveCalls::Scope active(py, group.calls, &exchange);
  ImportNotice notice(active, &exchange);
  const auto run = [&] {
    if (const python::Ref application = group.scripts.load(py, target, exchange, report, &notice)) {
      // What is imported may have subscribed, or started the recording.
      if (record.begin()) request.measure();
      if (module.observes(py)) request.be_observed_by(module.events);
      group.adapter.run(py, application.get(), request, context.errors_or_null());
    } else if (active.interrupted()) {
      request.fail(gateway::kGatewayTimeout, FailureCause::request_timeout);
    }
  };
  base::unless_out_of_memory(run, [&] {
    python::discard_error(py);
    const python::DetachScope detached(py);
    const Outcome refusal = refuse_for_memory(target, exchange);
    request.fail(refusal.status, refusal.failure);
  });
}

// With what the load of the script has come to.
Outcome LocalEngine::with_failure(Outcome outcome, python::LoadReport report) const {
  if (report.outdated) return Outcome{Outcome::Kind::outdated};
  const bool lasts = settings_.changed_scripts == gateway::ChangedScripts::refused;
  outcome.import_failed = report.import_failed || (lasts && !report.failure.empty());
  if (report.import_failed || !report.failure.empty()) {
    outcome.failure = FailureCause::import_failed;
  }
  if (outcome.import_failed) outcome.why = std::move(report.failure);
  return outcome;
}

gateway::AskResult LocalEngine::ask(const gateway::Target& target,
                                    const gateway::Question& question,
                                    gateway::Caller& caller) noexcept {
  return base::unless_out_of_memory(
      [&] { return answer(target, question, caller); },
      [&]() -> gateway::AskResult { return tl::unexpected(refuse_for_memory(target, caller)); });
}

gateway::AskResult LocalEngine::answer(const gateway::Target& target,
                                       const gateway::Question& question, gateway::Caller& caller) {
  const python::StarvationWatch::InFlight in_flight(runtime_->starvation_watch());
  const auto interpreter = enter(target, caller);
  if (!interpreter) return tl::unexpected(interpreter.error());
  python::LoadReport report;
  auto answer = answer_in(**interpreter, target, question, caller, report);
  if (answer) return answer;
  return tl::unexpected(with_failure(std::move(answer).error(), std::move(report)));
}

gateway::AskResult LocalEngine::answer_in(Interpreter& interpreter, const gateway::Target& target,
                                          const gateway::Question& question,
                                          gateway::Caller& caller, python::LoadReport& report) {
  const auto link = std::make_shared<python::RequestLink>();
  python::OutputLogs log(caller, settings_.logging);
  gateway::AskResult answer =
      tl::unexpected(Outcome{Outcome::Kind::refused, gateway::kInternalServerError});
  gateway::Target script = target;
  script.callable = {};
  {
    AttachScope py(interpreter);
    ApplicationGroup& group = application_group_of(interpreter);
    const python::RequestContext context(py, group.adapter.streams(), link, log, nullptr);
    ActiveCalls::Scope active(py, group.calls, &caller);
    ImportNotice notice(active, &caller);
    const auto run = [&] {
      const python::Ref module = group.scripts.load(py, script, caller, report, &notice);
      if (module) {
        answer = hooks::call(py, group.adapter.environs(), module.get(),
                             {.target = target,
                              .question = question,
                              .caller = caller,
                              .request_timeout = group.adapter.request_timeout(),
                              .errors = context.errors_or_null()});
      } else if (active.interrupted()) {
        answer.error().status = gateway::kServiceUnavailable;
      }
    };
    base::unless_out_of_memory(run, [&] {
      python::discard_error(py);
      const python::DetachScope detached(py);
      answer = tl::unexpected(refuse_for_memory(target, caller));
    });
  }
  if (link->close()) link->wait_for_uses();
  log.flush();
  return answer;
}

base::Result<> LocalEngine::prepare(const gateway::Target& target, base::LogSink& sink) noexcept {
  // A text that is short enough to need no memory.
  const auto failed = [] { return base::Result<>(base::fail("out of memory")); };
  return base::unless_out_of_memory([&] { return import(target, sink); }, failed);
}

base::Result<> LocalEngine::import(const gateway::Target& target, base::LogSink& sink) {
  const python::StarvationWatch::InFlight in_flight(runtime_->starvation_watch());
  const auto interpreter = interpreter_for(target.application_group);
  if (!interpreter) return base::fail(interpreter.error().sentence);
  std::optional<asgi::EventLoop::Candidate> candidate;
  {
    python::LoadReport report;
    AttachScope py(**interpreter);
    ApplicationGroup& group = application_group_of(**interpreter);
    ActiveCalls::Scope active(py, group.calls, nullptr);
    ImportNotice notice(active, nullptr);
    python::Ref loaded = group.scripts.load(py, target, sink, report, &notice);
    if (!loaded) {
      return base::fail(report.outdated
                            ? fmt::format("{} has changed since it was imported", target.script)
                            : report.failure);
    }
    const bool may_need_loop =
        target.protocol != gateway::Protocol::wsgi && !target.callable.empty();
    if (may_need_loop) candidate = candidate_of(py, target, std::move(loaded));
  }
  if (!candidate) return {};
  PH_TRY_VOID(get_ready(**interpreter, *std::move(candidate)));
  return {};
}

void LocalEngine::announce_stop(std::string_view reason) noexcept {
  base::if_memory_allows([&] {
    runtime_->announce_stop(
        [reason = std::string(reason)](Attached& py, const Runtime::BeforeCallback& before) {
          pyapi::publish_process_stopping(py, reason, before);
        });
  });
}

void LocalEngine::announce_signal(int signal) noexcept {
  signals_->announce(signal);
}

void LocalEngine::stop(std::chrono::milliseconds budget) noexcept {
  stopped_ = true;
  if (signals_ != nullptr) signals_->close();
  base::if_memory_allows([&] {
    if (interpreters_) budget = stop_loops(budget);
  });
  using python::Ending;
  const bool told = watch_ != nullptr && watch_->lock_wait_is_told();
  runtime_->stop({.budget = budget,
                  .exit_functions = settings_.destroy_interpreters ? Runtime::ExitFunctions::run
                                                                   : Runtime::ExitFunctions::skip,
                  .locks = told ? Ending::Locks::left_out : Ending::Locks::named});
}

}  // namespace pyhost::engine
