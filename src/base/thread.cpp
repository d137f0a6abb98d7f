#include "base/thread.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <cassert>
#include <cstring>
#include <memory>
#include <utility>

#include "base/scope_exit.h"

namespace pyhost::base {
namespace {

struct Start {
  std::string name;
  std::function<void()> body;
};

void* run(void* argument) {
  const std::unique_ptr<Start> start(static_cast<Start*>(argument));
  pthread_setname_np(pthread_self(), start->name.c_str());
  start->body();
  return nullptr;
}

}  // namespace

Result<NamedThread> NamedThread::start(std::string name, std::size_t stack_bytes,
                                       std::function<void()> body) {
  constexpr std::size_t kKernelNameMax = 15;
  auto start = std::make_unique<Start>(Start{name.substr(0, kKernelNameMax), std::move(body)});

  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  const ScopeExit destroy([&] { pthread_attr_destroy(&attributes); });
  pthread_attr_setstacksize(&attributes, stack_bytes);

  // The new thread inherits the mask, so that no signal can reach it even at its start.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const ScopeExit restore([&] { pthread_sigmask(SIG_SETMASK, &before, nullptr); });

  pthread_t handle;
  if (const int code = pthread_create(&handle, &attributes, run, start.get()); code != 0) {
    return fail(fmt::format("thread {} could not be started: {}", name, std::strerror(code)));
  }
  start.release();
  NamedThread thread;
  thread.handle_ = handle;
  thread.joinable_ = true;
  return thread;
}

NamedThread::NamedThread(NamedThread&& other) noexcept
    : handle_(other.handle_), joinable_(std::exchange(other.joinable_, false)) {}

NamedThread& NamedThread::operator=(NamedThread&& other) noexcept {
  assert(!joinable_);
  handle_ = other.handle_;
  joinable_ = std::exchange(other.joinable_, false);
  return *this;
}

NamedThread::~NamedThread() {
  assert(!joinable_);
}

void NamedThread::join() noexcept {
  if (std::exchange(joinable_, false)) pthread_join(handle_, nullptr);
}

void NamedThread::detach() noexcept {
  if (std::exchange(joinable_, false)) pthread_detach(handle_);
}

}  // namespace pyhost::base
