// What a call is told of the import that it waits for.
#pragma once

#include "engine/active_calls.h"
#include "pyhost/gateway/caller.h"
#include "python/script_loader.h"

namespace pyhost::engine {

// Imports are not interrupted, and do not count for limits of requests.
class ImportNotice final : public python::ImportObserver {
 public:
  // `caller_or_null` is null in a prepare().
  ImportNotice(ActiveCalls::Scope& call, gateway::Caller* caller_or_null) noexcept
      : call_(call), caller_(caller_or_null) {}

  void import_begins() noexcept override {
    call_.begin_import();
    if (caller_ != nullptr) caller_->import_begins();
  }
  void import_ended() noexcept override {
    if (caller_ != nullptr) caller_->import_ended();
    call_.end_import();
  }
  void import_runs_on(unsigned long thread) noexcept override { call_.move_to(thread); }

 private:
  ActiveCalls::Scope& call_;
  gateway::Caller* const caller_;
};

}  // namespace pyhost::engine
