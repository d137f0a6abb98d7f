#include "pyapi/loop_register.h"

#include "pyapi/request_record.h"

namespace pyhost::pyapi {
namespace {

using python::Attached;

class LoopRequest final : public python::RegisteredRequest {
 public:
  LoopRequest(Attached& py, ModuleState& module, const gateway::RequestHead& head,
              python::RequestData& data)
      : place_(module.place),
        observer_or_null_(module.observes(py) ? &module.events : nullptr),
        record_(module.recorder),
        is_recorded_(record_.begin()),
        entry_(py, module.active_requests, head, data) {}

  python::RequestObserver* observer_or_null() const noexcept override { return observer_or_null_; }
  bool is_measured() const noexcept override {
    return is_recorded_ || observer_or_null_ != nullptr;
  }
  void leave(Attached& py) noexcept override { entry_.leave(py); }
  void count(const gateway::RequestHead& head, const gateway::Outcome& outcome, int status,
             const python::RequestMeter* meter_or_null) noexcept override {
    record_.end(
        {.head = head, .outcome = outcome, .status = status, .meter_or_null = meter_or_null},
        place_);
  }

 private:
  const Place place_;
  python::RequestObserver* const observer_or_null_;
  RequestRecord record_;
  const bool is_recorded_;
  ActiveRequests::Entry entry_;
};

}  // namespace

std::unique_ptr<python::RegisteredRequest> LoopRegister::enter(Attached& py,
                                                               const gateway::RequestHead& head,
                                                               python::RequestData& data) {
  return std::make_unique<LoopRequest>(py, module_, head, data);
}

}  // namespace pyhost::pyapi
