// The application side of one interpreter.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "asgi/event_loop.h"
#include "engine/active_calls.h"
#include "pyapi/loop_register.h"
#include "pyapi/module_state.h"
#include "python/interpreter.h"
#include "python/script_loader.h"
#include "wsgi/adapter.h"

namespace pyhost::engine {

struct ApplicationGroup final : python::Resident {
  ApplicationGroup(wsgi::Adapter wsgi_adapter, std::unique_ptr<pyapi::ModuleState> mod_wsgi,
                   python::LoadingRules& rules)
      : adapter(std::move(wsgi_adapter)),
        module(std::move(mod_wsgi)),
        loop_requests(*module),
        scripts(rules) {}

  wsgi::Adapter adapter;
  const std::unique_ptr<pyapi::ModuleState> module;
  pyapi::LoopRegister loop_requests;
  python::ScriptLoader scripts;
  ActiveCalls calls;

  // The one that is there, or else `make()`. Any thread, not attached.
  template <class Make>
  asgi::EventLoop& loop(Make make) {
    std::call_once(loop_once_, [&] { loop_.store(new asgi::EventLoop(make())); });
    return *loop_.load();
  }
  // Any thread.
  asgi::EventLoop* loop_or_null() const noexcept { return loop_.load(); }

 private:
  std::once_flag loop_once_;
  std::atomic<asgi::EventLoop*> loop_ = nullptr;  // lives as long as the group, which is not freed
};

inline ApplicationGroup& application_group_of(const python::Interpreter& interpreter) noexcept {
  return static_cast<ApplicationGroup&>(interpreter.resident());
}

}  // namespace pyhost::engine
