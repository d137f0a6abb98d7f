#include "engine/local_engine.h"

#include <fmt/format.h>

#include "engine/interpreter_setup.h"
#include "pyapi/module.h"
#include "python/line_log.h"
#include "python/log_stream.h"
#include "python/script_loader.h"
#include "wsgi/adapter.h"
#include "wsgi/request.h"

namespace pyhost::engine {
namespace {

using base::LogLevel;
using base::Message;
using gateway::Outcome;
using python::Attached;
using python::AttachScope;
using python::Interpreter;
using python::InterpreterRegistry;

constexpr int kInternalServerError = 500;
constexpr int kServiceUnavailable = 503;

// The application side of one interpreter.
struct ApplicationGroup final : python::Resident {
  ApplicationGroup(wsgi::Adapter wsgi_adapter, bool case_sensitive_paths)
      : adapter(std::move(wsgi_adapter)), scripts(case_sensitive_paths) {}

  wsgi::Adapter adapter;
  python::ScriptLoader scripts;
};

ApplicationGroup& application_group_of(const Interpreter& interpreter) noexcept {
  return static_cast<ApplicationGroup&>(interpreter.resident());
}

}  // namespace

base::Result<std::unique_ptr<gateway::Engine>> LocalEngine::start(gateway::EngineSettings settings,
                                                                  base::LogSink& server_log) {
  std::unique_ptr<LocalEngine> engine(new LocalEngine(std::move(settings), server_log));
  LocalEngine& self = *engine;
  auto runtime = python::Runtime::start(
      self.settings_, server_log,
      [&self](Attached& py, Interpreter& interpreter) { return self.set_up(py, interpreter); });
  if (!runtime) {
    self.stopped_ = true;
    return tl::unexpected(runtime.error());
  }
  self.runtime_ = runtime->release();
  self.interpreters_ =
      std::make_unique<InterpreterRegistry>(*self.runtime_, self.settings_.interpreters_max);
  return engine;
}

LocalEngine::~LocalEngine() {
  if (!stopped_) stop(std::chrono::milliseconds::zero());
}

base::Result<> LocalEngine::set_up(Attached& py, Interpreter& interpreter) const {
  PH_TRY(streams, python::LogStreamType::make(py));
  PH_TRY_VOID(prepare_interpreter(py, interpreter, settings_, streams));
  PH_TRY(adapter, wsgi::Adapter::make(py, settings_, std::move(streams)));
  PH_TRY_VOID(pyapi::install_module(py, settings_, adapter.file_wrapper_type()));
  interpreter.set_resident(
      std::make_unique<ApplicationGroup>(std::move(adapter), settings_.case_sensitive_paths));
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
  const python::StarvationWatch::InFlight in_flight(runtime_->starvation_watch());
  const auto interpreter = interpreter_for(target.application_group);
  if (!interpreter) {
    const auto& failure = interpreter.error();
    exchange.log(LogLevel::error, failure.message, failure.sentence);
    return {Outcome::Kind::refused, failure.message == Message::interpreter_limit
                                        ? kServiceUnavailable
                                        : kInternalServerError};
  }
  wsgi::Request request(target, exchange);
  {
    AttachScope py(**interpreter);
    const python::RequestLogScope log_scope(request.log());
    ApplicationGroup& group = application_group_of(**interpreter);
    std::string failure;
    const python::Ref application = group.scripts.load(py, target, exchange, failure);
    if (application) group.adapter.run(py, application.get(), request);
  }
  return request.finish();
}

base::Result<> LocalEngine::preload(const gateway::Target& target, base::LogSink& sink) noexcept {
  const python::StarvationWatch::InFlight in_flight(runtime_->starvation_watch());
  const auto interpreter = interpreter_for(target.application_group);
  if (!interpreter) return base::fail(interpreter.error().sentence);
  std::string failure;
  AttachScope py(**interpreter);
  if (application_group_of(**interpreter).scripts.load(py, target, sink, failure)) return {};
  return base::fail(failure);
}

void LocalEngine::stop(std::chrono::milliseconds budget) noexcept {
  stopped_ = true;
  runtime_->stop(budget, settings_.destroy_interpreters);
}

}  // namespace pyhost::engine
