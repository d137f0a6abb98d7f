// The engine's applications with event loops.

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "asgi/support.h"
#include "base/out_of_memory.h"
#include "engine/application_group.h"
#include "engine/import_notice.h"
#include "engine/local_engine.h"
#include "pyhost/gateway/http_status.h"

namespace pyhost::engine {

using asgi::EventLoop;
using gateway::ChannelLoop;
using gateway::FailureCause;
using gateway::Outcome;
using gateway::Protocol;
using python::Attached;
using python::AttachScope;
using python::Interpreter;
using python::Ref;

tl::expected<ChannelLoop*, Outcome> LocalEngine::place(const gateway::Target& target,
                                                       gateway::Caller& caller) noexcept {
  if (target.protocol == Protocol::wsgi) return nullptr;
  return base::unless_out_of_memory([&] { return find_place(target, caller); },
                                    [&]() -> tl::expected<ChannelLoop*, Outcome> {
                                      return tl::unexpected(refuse_for_memory(target, caller));
                                    });
}

std::optional<EventLoop::Candidate> LocalEngine::candidate_of(Attached& py,
                                                              const gateway::Target& target,
                                                              Ref application) {
  const Protocol protocol = target.protocol == Protocol::detected
                                ? asgi::protocol_of(py, application.get())
                                : target.protocol;
  if (protocol == Protocol::wsgi) return std::nullopt;
  return EventLoop::Candidate{.script = script_key(target),
                              .callable = std::string(target.callable),
                              .name = gateway::name_of(script_of(target)),
                              .protocol = protocol,
                              .application = std::move(application)};
}

tl::expected<ChannelLoop*, Outcome> LocalEngine::find_place(const gateway::Target& target,
                                                            gateway::Caller& caller) {
  const python::StarvationWatch::InFlight in_flight(runtime_->starvation_watch());
  const auto interpreter = enter(target, caller);
  if (!interpreter) return tl::unexpected(interpreter.error());
  python::LoadReport report;
  std::optional<EventLoop::Candidate> candidate;
  {
    AttachScope py(**interpreter);
    ApplicationGroup& group = application_group_of(**interpreter);
    ActiveCalls::Scope active(py, group.calls, &caller);
    ImportNotice notice(active, &caller);
    Ref application = group.scripts.load(py, target, caller, report, &notice);
    if (!application) {
      return tl::unexpected(with_failure({.kind = Outcome::Kind::refused,
                                          .status = gateway::kInternalServerError,
                                          .failure = FailureCause::import_failed},
                                         std::move(report)));
    }
    candidate = candidate_of(py, target, std::move(application));
    if (!candidate) return nullptr;
  }
  // To start is a part of the import.
  caller.import_begins();
  auto ready = get_ready(**interpreter, *std::move(candidate));
  caller.import_ended();
  if (ready) return *ready;
  return tl::unexpected(Outcome{.kind = Outcome::Kind::refused,
                                .status = gateway::kInternalServerError,
                                .import_failed = true,
                                .why = std::move(ready).error().sentence,
                                .failure = FailureCause::import_failed});
}

base::Result<ChannelLoop*> LocalEngine::get_ready(Interpreter& interpreter,
                                                  EventLoop::Candidate candidate) {
  ApplicationGroup& group = application_group_of(interpreter);
  EventLoop& loop = group.loop([&] {
    return EventLoop::Inputs{.interpreter = interpreter,
                             .streams = group.adapter.streams(),
                             .requests = group.loop_requests,
                             .scripts = group.scripts,
                             .starvation_watch = runtime_->starvation_watch(),
                             .settings = settings_.event_loops,
                             .logging = settings_.logging,
                             .on_lifespan_lost = [this] {
                               if (lifespan_lost_) lifespan_lost_();
                             }};
  });
  const std::string name = candidate.name;
  if (auto ready = loop.get_ready(std::move(candidate)); !ready) {
    return base::fail(fmt::format("{} could not start: {}", name, ready.error().sentence));
  }
  return &loop;
}

std::chrono::milliseconds LocalEngine::stop_loops(std::chrono::milliseconds budget) {
  const base::TimePoint deadline = base::Clock::now() + budget;
  std::vector<EventLoop*> loops;
  for (const Interpreter* interpreter : interpreters_->all()) {
    EventLoop* const loop = application_group_of(*interpreter).loop_or_null();
    if (loop != nullptr) loops.push_back(loop);
  }
  for (EventLoop* loop : loops) loop->begin_stop();
  for (EventLoop* loop : loops) loop->finish_stop(deadline);
  if (loops.empty()) return budget;
  using std::chrono::milliseconds;
  return std::max(std::chrono::duration_cast<milliseconds>(deadline - base::Clock::now()),
                  milliseconds::zero());
}

}  // namespace pyhost::engine
