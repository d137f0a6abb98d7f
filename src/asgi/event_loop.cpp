#include "asgi/event_loop.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "asgi/http_exchange.h"
#include "asgi/support.h"
#include "asgi/web_socket_exchange.h"
#include "base/out_of_memory.h"
#include "pyhost/gateway/http_status.h"
#include "python/native_type.h"

namespace pyhost::asgi {
namespace {

using base::LogLevel;
using base::Message;
using gateway::ChannelEvent;
using python::Attached;
using python::CalledByPython;
using python::DetachScope;
using python::OwnerScope;
using python::PythonError;
using python::Ref;

// A head that is alone for so long leaves alone.
constexpr std::chrono::milliseconds kHeadWaitMax{20};

const char* name_of(gateway::LoopKind kind) noexcept {
  switch (kind) {
    case gateway::LoopKind::detected:
      return "detected";
    case gateway::LoopKind::uvloop:
      return "uvloop";
    case gateway::LoopKind::asyncio:
      break;
  }
  return "asyncio";
}

void reset_event(int fd) noexcept {
  std::uint64_t count = 0;
  static_cast<void>(!::read(fd, &count, sizeof count));
}

base::Result<> raised(Attached& py) {
  return base::fail(PythonError::take(py).summary(py));
}

}  // namespace

// --- Starting and ending the loop --------------------------------------------------------------

base::Result<> EventLoop::start() {
  std::unique_lock lock(mutex_);
  if (state_ == State::unstarted) {
    state_ = State::starting;
    inputs_.interpreter.main_thread().post([this] {
      OwnerScope py(inputs_.interpreter);
      run(py);
    });
  }
  changed_.wait(lock, [this] { return state_ != State::starting; });
  if (state_ == State::running) return {};
  return base::fail(state_ == State::failed ? failure_ : "the event loop has ended");
}

void EventLoop::become(State state, std::string failure) {
  {
    const std::lock_guard lock(mutex_);
    state_ = state;
    failure_ = std::move(failure);
  }
  changed_.notify_all();
}

void EventLoop::run(Attached& py) {
  base::Result<> result = set_up(py);
  if (result) {
    become(State::running);
    result = run_forever(py);
    tear_down(py);
  } else {
    inputs_.interpreter.main_thread().set_wake({});
  }
  if (result) return become(State::ended);
  const std::string text = fmt::format("the event loop of {}: {}", inputs_.interpreter.phrase(),
                                       result.error().sentence);
  become(State::failed, text);
  const DetachScope detached(py);
  inputs_.interpreter.server_log().log(LogLevel::error, Message::event_loop_failed, text);
}

base::Result<> EventLoop::set_up(Attached& py) {
  wake_event_ = base::UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_event_.valid()) {
    return base::fail(fmt::format("it cannot be woken: {}", std::strerror(errno)));
  }
  const Ref new_loop = support_function(py, "new_event_loop");
  Ref loop = Ref::steal(
      new_loop ? PyObject_CallFunction(new_loop.get(), "sO", name_of(inputs_.settings.kind),
                                       inputs_.interpreter.is_main() ? Py_True : Py_False)
               : nullptr);
  if (!loop) return raised(py);
  PH_TRY(names, Names::make(py));
  names_ = std::move(names);
  PH_TRY(parts, LoopParts::make(py,
                                {inputs_.interpreter, inputs_.streams, inputs_.requests,
                                 inputs_.logging, inputs_.settings.scopes},
                                *names_, std::move(loop)));
  PH_TRY_VOID(make_exchange_types(py, parts));
  PH_TRY_VOID(make_lifespan_types(py, parts));
  parts_.emplace(std::move(parts));
  PH_TRY_VOID(add_reader<&EventLoop::run_posted>(py, wake_event_.get()));
  PH_TRY_VOID(add_reader<&EventLoop::do_what_is_due>(py, deadlines_.fd()));
  inputs_.interpreter.main_thread().set_wake([this] { wake(); });
  const DetachScope detached(py);
  inputs_.interpreter.server_log().log(
      LogLevel::info, Message::event_loop_started,
      fmt::format("started the event loop of {}", inputs_.interpreter.phrase()));
  return {};
}

template <void (EventLoop::*kReady)(Attached&)>
base::Result<> EventLoop::add_reader(Attached& py, int fd) {
  static PyMethodDef ready_method = {"ready", ready<kReady>, METH_NOARGS, nullptr};
  const Ref capsule = Ref::steal(PyCapsule_New(this, nullptr, nullptr));
  const Ref callback =
      Ref::steal(capsule ? PyCFunction_New(&ready_method, capsule.get()) : nullptr);
  const Ref added = Ref::steal(
      callback ? PyObject_CallMethod(parts_->loop.get(), "add_reader", "iO", fd, callback.get())
               : nullptr);
  return added ? base::Result<>() : raised(py);
}

// What an application raises that is no Exception, such as SystemExit, comes out of the loop, which
// goes on without its task. So does a loop that an application has stopped.
base::Result<> EventLoop::run_forever(Attached& py) {
  while (true) {
    const Ref done = Ref::steal(PyObject_CallMethod(parts_->loop.get(), "run_forever", nullptr));
    if (phase_ == Phase::ending) {
      python::discard_error(py);
      return {};
    }
    if (done) continue;
    const PythonError error = PythonError::take(py);
    if (error.is(PyExc_Exception)) return base::fail(error.traceback(py));
  }
}

void EventLoop::tear_down(Attached& py) {
  phase_ = Phase::ending;
  const Ref close = support_function(py, "close_event_loop");
  const Ref closed =
      Ref::steal(close ? PyObject_CallOneArg(close.get(), parts_->loop.get()) : nullptr);
  python::discard_error(py);
  inputs_.interpreter.main_thread().set_wake({});
  const base::Result<> ended = base::fail("the event loop has ended");
  for (const auto& application : applications_) {
    for (const auto& gate : std::exchange(application->gates, {})) gate->open(ended);
  }
  if (source_or_null_ != nullptr) {
    const DetachScope detached(py);
    std::exchange(source_or_null_, nullptr)->abandon();
  }
}

// --- What wakes it -----------------------------------------------------------------------------

template <void (EventLoop::*kReady)(Attached&)>
PyObject* EventLoop::ready(PyObject* capsule, PyObject*) {
  return python::py_entry([&]() -> PyObject* {
    auto* loop = static_cast<EventLoop*>(PyCapsule_GetPointer(capsule, nullptr));
    if (loop == nullptr) return nullptr;
    CalledByPython py(loop->inputs_.interpreter);
    (loop->*kReady)(py);
    Py_RETURN_NONE;
  });
}

void EventLoop::run_posted(Attached& py) {
  const DetachScope detached(py);
  reset_event(wake_event_.get());
  asked_at_ = 0;
  if (!given_up_) inputs_.interpreter.main_thread().run_posted();
}

void EventLoop::do_what_is_due(Attached& py) {
  reset_event(deadlines_.fd());
  const base::TimePoint now = base::Clock::now();
  while (const auto deadline = deadlines_.take_due(now)) {
    const std::shared_ptr<Exchange> exchange = deadline->exchange.lock();
    if (!exchange) continue;
    switch (deadline->due) {
      case Due::head:
        exchange->release_head(py);
        break;
      case Due::gone_client:
        exchange->cancel(py, Cancelling::client_gone);
        break;
      case Due::moment:
        exchange->moment_has_come(py, now);
        break;
    }
  }
}

void EventLoop::pump(Attached& py) {
  if (source_or_null_ == nullptr) return;
  const auto events = [&] {
    const DetachScope detached(py);
    return source_or_null_->pump();
  }();
  for (const ChannelEvent& event : events) act(py, event);
}

void EventLoop::act(Attached& py, const ChannelEvent& event) {
  gateway::Channel* const channel = event.channel;
  if (channel == nullptr) return;
  if (event.kind == ChannelEvent::Kind::begun) {
    if (begin(py, *channel)) return;
    const DetachScope detached(py);
    return channel->hand_back();
  }
  const auto exchange = static_cast<Exchange*>(channel->owner_or_null())->shared_from_this();
  switch (event.kind) {
    case ChannelEvent::Kind::body:
      return exchange->body_has_come(py);
    case ChannelEvent::Kind::room:
      return exchange->has_room(py);
    case ChannelEvent::Kind::gone:
    case ChannelEvent::Kind::begun:
      return exchange->client_has_left(py);
    case ChannelEvent::Kind::leave:
      return exchange->leave(py, event.leaving, moment_to_leave(event.leaving));
  }
}

// False when it is not for this loop, or not any more.
bool EventLoop::begin(Attached& py, gateway::Channel& channel) {
  const gateway::Target& target = channel.target();
  Application* const application = find(script_key(target), target.callable);
  if (phase_ != Phase::serving || application == nullptr || !may_serve(*application)) return false;
  python::LoadReport report;
  const Ref loaded = inputs_.scripts.load(py, target, channel, report, nullptr);
  if (loaded.get() != application->candidate.application.get()) return false;
  if (refuse_offer(py, channel)) return true;
  const std::shared_ptr<Exchange> exchange = make_exchange(channel);
  channel.set_owner(*exchange);
  exchanges_.try_emplace(exchange.get(), exchange, inputs_.starvation_watch);
  exchange->run(py, {.application = loaded.get(),
                     .protocol = application->candidate.protocol,
                     .state_or_null = application->state.get()});
  if (leaving_) exchange->leave(py, *leaving_, moment_to_leave(*leaving_));
  return true;
}

// Whether the handshake of a WebSocket is one that cannot be answered (RFC 6455, 4.2.2).
bool EventLoop::refuse_offer(Attached& py, gateway::Channel& channel) {
  using gateway::WebSocketOffer;
  const WebSocketOffer offer = channel.head().web_socket;
  if (offer == WebSocketOffer::none || offer == WebSocketOffer::valid) return false;
  const DetachScope detached(py);
  if (offer == WebSocketOffer::other_version) {
    const gateway::Header version{"sec-websocket-version", "13"};
    const gateway::ResponseHead head{
        .status = gateway::kUpgradeRequired, .headers = {&version, 1}, .content_length = 0};
    channel.offer({.head = &head, .then = gateway::ReplyPart::Then::end});
    channel.finish({});
  } else {
    channel.finish({.kind = gateway::Outcome::Kind::refused, .status = gateway::kBadRequest});
  }
  return true;
}

std::shared_ptr<Exchange> EventLoop::make_exchange(gateway::Channel& channel) {
  ExchangeHost& host = *this;
  if (channel.head().web_socket == gateway::WebSocketOffer::none) {
    return std::make_shared<HttpExchange>(*parts_, host, channel);
  }
  // Not in one piece with its counts, which moments that are still to come keep.
  return std::shared_ptr<Exchange>(
      new WebSocketExchange(*parts_, host, channel, inputs_.settings.web_sockets));
}

// --- What exchanges want -----------------------------------------------------------------------

void EventLoop::hold_head(Exchange& exchange) {
  deadlines_.add(base::Clock::now() + kHeadWaitMax, {exchange.weak_from_this(), Due::head});
}

void EventLoop::expect_end(Exchange& exchange) {
  if (const auto grace = inputs_.settings.disconnect_grace) {
    deadlines_.add(base::Clock::now() + *grace, {exchange.weak_from_this(), Due::gone_client});
  }
}

void EventLoop::has_become_stream(Exchange& exchange) {
  if (const auto found = exchanges_.find(&exchange); found != exchanges_.end()) {
    found->second.in_flight.reset();
  }
}

void EventLoop::call_at(Exchange& exchange, base::TimePoint moment) {
  deadlines_.add(moment, {exchange.weak_from_this(), Due::moment});
}

void EventLoop::exchange_over(Attached& py, Exchange& exchange) {
  exchanges_.erase(&exchange);
  advance(py);
}

Ref EventLoop::task_stacks(Attached& py) const {
  if (!parts_) return Ref::steal(PyUnicode_FromString(""));
  const Ref function = support_function(py, "task_stacks");
  return Ref::steal(function ? PyObject_CallOneArg(function.get(), parts_->loop.get()) : nullptr);
}

// --- From other threads ------------------------------------------------------------------------

void EventLoop::post(std::function<void(Attached&)> task) {
  inputs_.interpreter.main_thread().post([this, task = std::move(task)] {
    OwnerScope py(inputs_.interpreter);
    task(py);
  });
}

void EventLoop::serve(gateway::ChannelSource& source) noexcept {
  {
    const std::lock_guard lock(mutex_);
    serves_ = true;
  }
  base::if_memory_allows([&] {
    post([this, &source](Attached& py) {
      source_or_null_ = &source;
      const auto added = add_reader<&EventLoop::pump>(py, source.fd());
      if (added) return;
      const DetachScope detached(py);
      inputs_.interpreter.server_log().log(
          LogLevel::error, Message::event_loop_failed,
          fmt::format("the event loop of {}: {}", inputs_.interpreter.phrase(),
                      added.error().sentence));
    });
  });
}

bool EventLoop::is_running() const {
  const std::lock_guard lock(mutex_);
  return state_ == State::running;
}

void EventLoop::wake() const noexcept {
  const std::uint64_t one = 1;
  static_cast<void>(!::write(wake_event_.get(), &one, sizeof one));
}

std::optional<base::TimePoint> EventLoop::probe() noexcept {
  base::Clock::rep asked_at = 0;
  const base::Clock::rep now = base::Clock::now().time_since_epoch().count();
  if (!asked_at_.compare_exchange_strong(asked_at, now)) {
    return base::TimePoint(base::Clock::duration(asked_at));
  }
  wake();
  return std::nullopt;
}

bool EventLoop::serves() const noexcept {
  const std::lock_guard lock(mutex_);
  return serves_;
}

void EventLoop::interrupt(const gateway::Caller& caller, base::TimePoint moment) {
  if (!is_running()) return;
  post([this, &caller, moment](Attached& py) {
    for (const auto& [key, running] : exchanges_) {
      const std::shared_ptr<Exchange> exchange = running.exchange;
      if (exchange->channel_or_null() != &caller || exchange->began() >= moment) continue;
      return exchange->cancel(py, Cancelling::timeout);
    }
  });
}

}  // namespace pyhost::asgi
