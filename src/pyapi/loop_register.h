// The requests of an event loop, as mod_wsgi knows them.
#pragma once

#include <memory>

#include "pyapi/module_state.h"
#include "python/request_observer.h"

namespace pyhost::pyapi {

// What they are entered in for: mod_wsgi.active_requests, the events, and what is recorded.
class LoopRegister final : public python::RequestRegister {
 public:
  // Of mod_wsgi in the loop's interpreter; outlives it.
  explicit LoopRegister(ModuleState& module) noexcept : module_(module) {}

  std::unique_ptr<python::RegisteredRequest> enter(python::Attached& py,
                                                   const gateway::RequestHead& head,
                                                   python::RequestData& data) override;

 private:
  ModuleState& module_;
};

}  // namespace pyhost::pyapi
