// The applications of an event loop: their start, and their end with it.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "asgi/event_loop.h"
#include "base/clock.h"
#include "base/out_of_memory.h"

namespace pyhost::asgi {

using base::LogLevel;
using base::Message;
using python::Attached;
using python::DetachScope;
using python::Ref;
using Stage = LifespanCourse::Stage;

// --- Starting ----------------------------------------------------------------------------------

void EventLoop::Gate::open(base::Result<> own_result) {
  {
    const std::lock_guard lock(mutex);
    result = std::move(own_result);
  }
  opened.notify_all();
}

base::Result<> EventLoop::get_ready(Candidate candidate) {
  if (auto started = start(); !started) {
    // Nothing is freed that was not made under the lock that it needs.
    static_cast<void>(candidate.application.release());
    return started;
  }
  const auto gate = std::make_shared<Gate>();
  const std::uint64_t script = candidate.script;
  const std::string callable = candidate.callable;
  // What is posted can be copied; its reference is only touched attached.
  const auto passed = std::make_shared<Candidate>(std::move(candidate));
  post([this, passed, gate](Attached& py) { add(py, std::move(*passed), gate); });
  const auto is_open = [&gate] { return gate->result.has_value(); };
  std::unique_lock lock(gate->mutex);
  if (const auto patience = inputs_.settings.startup_timeout) {
    if (!gate->opened.wait_for(lock, *patience, is_open)) {
      lock.unlock();
      post([this, script, callable](Attached& py) {
        if (Application* late = find(script, callable)) late->lifespan->patience_is_over(py);
      });
      lock.lock();
    }
  }
  gate->opened.wait(lock, is_open);
  if (*gate->result) {
    const std::lock_guard ready_lock(mutex_);
    ready_.emplace(script, callable);
  }
  return *gate->result;
}

bool EventLoop::has(std::uint64_t script, const std::string& callable) const {
  const std::lock_guard lock(mutex_);
  return ready_.contains({script, callable});
}

EventLoop::Application* EventLoop::find(std::uint64_t script, std::string_view callable) noexcept {
  for (const auto& application : applications_) {
    const Candidate& candidate = application->candidate;
    if (candidate.script == script && candidate.callable == callable) return application.get();
  }
  return nullptr;
}

bool EventLoop::may_serve(const Application& application) noexcept {
  const Stage stage = application.lifespan->course().stage();
  return stage == Stage::running || stage == Stage::unsupported || stage == Stage::died;
}

// Another application object under the same name is that of a script that was imported anew.
void EventLoop::add(Attached& py, Candidate candidate, std::shared_ptr<Gate> gate) {
  if (phase_ != Phase::serving) return gate->open(base::fail("the event loop ends"));
  Application* application = find(candidate.script, candidate.callable);
  const bool is_there = application != nullptr &&
                        application->candidate.application.get() == candidate.application.get();
  if (!is_there) {
    auto made = std::make_unique<Application>();
    made->candidate = std::move(candidate);
    if (application != nullptr) {
      replaced_.push_back(application->lifespan);
      std::erase_if(applications_, [&](const auto& one) { return one.get() == application; });
    }
    application = applications_.emplace_back(std::move(made)).get();
    application->gates.push_back(std::move(gate));
    return start_application(py, *application);
  }
  application->gates.push_back(std::move(gate));
  lifespans_changed(py);
}

void EventLoop::start_application(Attached& py, Application& application) {
  const gateway::LifespanUse use = inputs_.settings.lifespan;
  application.lifespan =
      std::make_shared<Lifespan>(*parts_, use, application.candidate.name,
                                 [this](Attached& changed) { lifespans_changed(changed); });
  if (use != LifespanUse::off) {
    application.state = Ref::steal(PyDict_New());
    application.lifespan->start(py, application.candidate.application.get(),
                                application.candidate.protocol, application.state.get());
  }
  lifespans_changed(py);
}

void EventLoop::lifespans_changed(Attached& py) {
  bool lost = false;
  for (const auto& application : applications_) {
    const LifespanCourse& course = application->lifespan->course();
    if (course.stage() == Stage::starting) continue;
    lost |= course.stage() == Stage::died && !std::exchange(application->loss_told, true);
    const base::Result<> result =
        may_serve(*application) ? base::Result<>() : base::fail(course.sentence());
    for (const auto& gate : std::exchange(application->gates, {})) gate->open(result);
  }
  if (lost) {
    const DetachScope detached(py);
    inputs_.on_lifespan_lost();
  }
  advance(py);
}

// --- Ending ------------------------------------------------------------------------------------

void EventLoop::drain(gateway::Leaving why) noexcept {
  if (!is_running()) return;
  base::if_memory_allows([&] { post([this, why](Attached& py) { leave_all(py, why); }); });
}

// Clients that are all sent away at once come back all at once.
base::TimePoint EventLoop::moment_to_leave(gateway::Leaving why) {
  const base::TimePoint now = base::Clock::now();
  if (why == gateway::Leaving::stop) return now;
  std::uniform_int_distribution<std::int64_t> within(0, inputs_.settings.web_sockets.drain.count());
  return now + std::chrono::milliseconds(within(random_));
}

// Each may end what it is by that.
void EventLoop::leave_all(Attached& py, gateway::Leaving why) {
  leaving_ = why;
  std::vector<std::shared_ptr<Exchange>> exchanges;
  for (const auto& [key, one] : exchanges_) exchanges.push_back(one.exchange);
  const auto streams =
      std::ranges::count_if(exchanges_, [](const auto& each) { return !each.second.in_flight; });
  if (streams != 0) {
    const std::string text =
        fmt::format("{} WebSockets of {} are closed", streams, inputs_.interpreter.phrase());
    const DetachScope detached(py);
    inputs_.interpreter.server_log().log(LogLevel::info, Message::sockets_leave, text);
  }
  for (const auto& exchange : exchanges) exchange->leave(py, why, moment_to_leave(why));
}

void EventLoop::begin_stop() {
  if (is_running()) post([this](Attached& py) { cancel_all(py); });
}

void EventLoop::finish_stop(base::TimePoint deadline) {
  const auto has_ended = [this] { return state_ != State::running && state_ != State::starting; };
  const base::TimePoint now = base::Clock::now();
  std::unique_lock lock(mutex_);
  if (!changed_.wait_until(lock, now + (deadline - now) / 2, has_ended)) {
    lock.unlock();
    post([this](Attached& py) { end_lifespans(py); });
    lock.lock();
  }
  given_up_ = !changed_.wait_until(lock, deadline, has_ended);
}

// What is done behind a reply has until lifespans end.
void EventLoop::cancel_all(Attached& py) {
  phase_ = Phase::cancelling;
  std::vector<std::shared_ptr<Exchange>> unanswered;
  for (const auto& [key, one] : exchanges_) {
    if (!one.exchange->has_replied()) unanswered.push_back(one.exchange);
  }
  if (!unanswered.empty()) {
    const std::string text = fmt::format("{} requests were cancelled in {}", unanswered.size(),
                                         inputs_.interpreter.phrase());
    const DetachScope detached(py);
    inputs_.interpreter.server_log().log(LogLevel::warn, Message::exchanges_cancelled, text);
  }
  for (const auto& exchange : unanswered) exchange->cancel(py, Cancelling::stop);
  advance(py);
}

void EventLoop::end_lifespans(Attached& py) {
  if (phase_ != Phase::cancelling) return;
  phase_ = Phase::lifespans;
  for (const auto& application : applications_) application->lifespan->stop(py);
  for (const auto& lifespan : replaced_) lifespan->stop(py);
  advance(py);
}

void EventLoop::advance(Attached& py) {
  if (phase_ == Phase::cancelling && exchanges_.empty()) return end_lifespans(py);
  if (phase_ != Phase::lifespans) return;
  const auto stops = [](const std::shared_ptr<Lifespan>& lifespan) {
    return lifespan->course().stage() == Stage::stopping;
  };
  for (const auto& application : applications_) {
    if (stops(application->lifespan)) return;
  }
  for (const auto& lifespan : replaced_) {
    if (stops(lifespan)) return;
  }
  end_loop(py);
}

void EventLoop::end_loop(Attached& py) {
  phase_ = Phase::ending;
  Ref::steal(PyObject_CallMethod(parts_->loop.get(), "stop", nullptr));
  python::discard_error(py);
}

}  // namespace pyhost::asgi
