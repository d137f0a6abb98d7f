#include "engine/signal_dispatcher.h"

#include "base/out_of_memory.h"
#include "pyapi/events.h"
#include "python/attached.h"

namespace pyhost::engine {
namespace {

constexpr std::uint64_t bit_of(int signal) noexcept {
  return std::uint64_t{1} << static_cast<unsigned>(signal);
}

}  // namespace

void SignalDispatcher::announce(int signal) noexcept {
  if ((waiting_.fetch_or(bit_of(signal)) & bit_of(signal)) != 0) return;
  base::unless_out_of_memory([&] { post(signal); }, [&] { waiting_ &= ~bit_of(signal); });
}

void SignalDispatcher::post(int signal) {
  if (!thread_) {
    auto started = python::TaskThread::start("wsgi-signals", thread_signals_);
    if (started) thread_ = *std::move(started);
  }
  if (thread_) {
    thread_->post([this, signal] { publish(signal); });
  } else {
    waiting_ &= ~bit_of(signal);
  }
}

void SignalDispatcher::publish(int signal) {
  waiting_ &= ~bit_of(signal);
  for (python::Interpreter* interpreter : interpreters()) {
    if (interpreter->closed()) continue;
    python::AttachScope py(*interpreter);
    pyapi::publish_process_signal(py, signal);
  }
}

std::vector<python::Interpreter*> SignalDispatcher::interpreters() {
  const std::lock_guard lock(mutex_);
  return interpreters_or_null_ != nullptr ? interpreters_or_null_->all()
                                          : std::vector<python::Interpreter*>();
}

void SignalDispatcher::close() noexcept {
  const std::lock_guard lock(mutex_);
  interpreters_or_null_ = nullptr;
}

}  // namespace pyhost::engine
