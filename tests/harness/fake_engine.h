// An engine without Python: tests script what each application does.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <string>

#include "pyhost/gateway/engine.h"

namespace pyhost::test {

// Applications are named by the target's script and are added before the first request.
class FakeEngine final : public gateway::Engine {
 public:
  using Application =
      std::function<gateway::Outcome(const gateway::Target& target, gateway::Exchange& exchange)>;

  void add(std::string script, Application application) {
    applications_[std::move(script)] = std::move(application);
  }
  std::size_t runs() const noexcept { return runs_; }

  using Hook =
      std::function<gateway::AskResult(const gateway::Question& question, gateway::Caller& caller)>;
  void add_hook(std::string script, Hook hook) { hooks_[std::move(script)] = std::move(hook); }

  // 404 for a script that was not added.
  gateway::Outcome run(const gateway::Target& target,
                       gateway::Exchange& exchange) noexcept override;
  // `none` for a script that was not added.
  gateway::AskResult ask(const gateway::Target& target, const gateway::Question& question,
                         gateway::Caller& caller) noexcept override;
  base::Result<> prepare(const gateway::Target&, base::LogSink&) noexcept override { return {}; }
  void stop(std::chrono::milliseconds) noexcept override {}

 private:
  std::map<std::string, Application, std::less<>> applications_;
  std::map<std::string, Hook, std::less<>> hooks_;
  std::atomic<std::size_t> runs_ = 0;
};

// --- Things that applications do ---

// A complete reply in one part.
gateway::Outcome reply(gateway::Exchange& exchange, std::string_view body);
// The whole request body, read in pieces of `piece_bytes`; stops at a fault.
struct WholeBody {
  std::string bytes;
  gateway::BodyFault fault = gateway::BodyFault::none;
};
WholeBody read_whole_body(gateway::Exchange& exchange, std::size_t piece_bytes = 10'000);
// The value of that name in the request's environ; empty without one.
std::string environ_value(const gateway::Exchange& exchange, std::string_view name);

}  // namespace pyhost::test
