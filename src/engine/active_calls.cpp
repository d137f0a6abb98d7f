#include "engine/active_calls.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/clock.h"

namespace pyhost::engine {

ActiveCalls::Scope::Scope(python::Attached&, ActiveCalls& calls,
                          const gateway::Caller* caller_or_null)
    : calls_(calls), caller_or_null_(caller_or_null), thread_(PyThread_get_thread_ident()) {
  calls_.calls_.push_back(this);
}

ActiveCalls::Scope::~Scope() {
  std::erase(calls_.calls_, this);
  take_back(*this);
}

void ActiveCalls::Scope::begin_import() noexcept {
  take_back(*this);
  importing_ = true;
}

void ActiveCalls::Scope::end_import() noexcept {
  importing_ = false;
  began_ = base::Clock::now();
}

void ActiveCalls::Scope::move_to(unsigned long thread) noexcept {
  take_back(*this);
  thread_ = thread;
}

void ActiveCalls::take_back(Scope& call) noexcept {
  if (std::exchange(call.interrupted_, false)) PyThreadState_SetAsyncExc(call.thread_, nullptr);
}

void ActiveCalls::interrupt(Scope& call, PyObject* exception) noexcept {
  call.interrupted_ = true;
  PyThreadState_SetAsyncExc(call.thread_, exception);
}

void ActiveCalls::interrupt_run(python::Attached&, const gateway::Caller& caller,
                                base::Clock::time_point moment, PyObject* exception) noexcept {
  for (Scope* call : calls_) {
    const bool meant = call->caller_or_null_ == &caller && call->began_ < moment;
    if (meant && !call->importing_ && !call->interrupted_) interrupt(*call, exception);
  }
}

void ActiveCalls::interrupt_preloads(python::Attached&, PyObject* exception) noexcept {
  for (Scope* call : calls_) {
    const bool meant = call->caller_or_null_ == nullptr;
    if (meant && !call->interrupted_) interrupt(*call, exception);
  }
}

std::vector<std::pair<unsigned long, std::string>> ActiveCalls::threads(python::Attached&) const {
  std::vector<std::pair<unsigned long, std::string>> threads;
  for (const Scope* call : calls_) {
    std::array<char, 16> name{};
    ::pthread_getname_np(call->thread_, name.data(), name.size());
    threads.emplace_back(call->thread_, fmt::format("thread {}", name.data()));
  }
  return threads;
}

}  // namespace pyhost::engine
