// What a worker's main thread does about requests that are overdue.
#include "worker/life_keeper.h"

#include <gmock/gmock.h>

#include <latch>
#include <thread>

#include "base/clock.h"
#include "daemon/group_fixture.h"
#include "worker/script_imports.h"
#include "worker/stop_events.h"

namespace pyhost::test {
namespace {

using base::Message;
using ::testing::HasSubstr;
using worker::LifeKeeper;
using namespace std::chrono_literals;

// Of an engine whose lock an application keeps.
class StuckWatch final : public gateway::EngineWatch {
 public:
  void interrupt(const gateway::Caller&, base::TimePoint) noexcept override { ++interruptions; }
  void interrupt_preloads() noexcept override {}
  std::size_t collect_stacks(gateway::StackOwners,
                             std::function<void(std::string_view)>) noexcept override {
    ++collections;
    return 1;
  }
  std::string stacks_without_lock() noexcept override { return "in keep_the_lock"; }
  std::optional<gateway::InterpreterWait> probe_locks() noexcept override { return std::nullopt; }
  LoopProbe probe_loops() noexcept override { return {}; }
  void lock_wait_told() noexcept override {}
  unsigned imports() const noexcept override { return 1; }
  std::vector<gateway::Script> imported_scripts() override { return {}; }
  bool serves_by_loops_only() override { return false; }
  void accept_changes_until(std::int64_t) noexcept override {}

  unsigned interruptions = 0;
  unsigned collections = 0;
};

class StuckEngine final : public gateway::Engine {
 public:
  gateway::Outcome run(const gateway::Target&, gateway::Exchange&) noexcept override { return {}; }
  gateway::AskResult ask(const gateway::Target&, const gateway::Question&,
                         gateway::Caller&) noexcept override {
    return gateway::Answer{};
  }
  base::Result<> prepare(const gateway::Target&, base::LogSink&) noexcept override { return {}; }
  void stop(std::chrono::milliseconds) noexcept override {}
  gateway::EngineWatch* watch() noexcept override { return &its_watch; }

  StuckWatch its_watch;
};

class LifeKeeperTest : public GroupTest {
 protected:
  void SetUp() override {
    applications_.add("/apps/held", [this](const gateway::Target&, gateway::Exchange& exchange) {
      release_.wait();
      return reply(exchange, "held");
    });
  }

  LifeKeeper keep(const control::WorkerLimits& limits) {
    return LifeKeeper({.label = "worker 0",
                       .limits = limits,
                       .pool = pool(0),
                       .python = engine_,
                       .standby = standby_,
                       .report = report_,
                       .log = worker_log_},
                      worker::WorkerLife(limits, 0, std::chrono::steady_clock::now()));
  }

  StuckEngine engine_;
  scoreboard::ReportWriter report_ = scoreboard_.writer(0, 1);
  control::WorkerBrief brief_;
  worker::StopEvents events_ = worker::StopEvents::open(-1, {}).value();
  worker::LackedScripts lacked_{report_};
  worker::ScriptImports imports_{{"worker 0", brief_, engine_, events_, lacked_, worker_log_}};
  worker::Standby standby_{
      {"worker 0", report_, &engine_.its_watch, imports_, events_, worker_log_}};
  std::latch release_{1};
};

TEST_F(LifeKeeperTest, WaitsForStacksOnceForAllThatAreOverdue) {
  constexpr unsigned kRequests = 3;
  start_worker(0, kRequests);
  engine();
  std::vector<std::unique_ptr<FakeExchange>> exchanges;
  std::vector<std::jthread> clients;
  for (unsigned i = 0; i < kRequests; ++i) {
    FakeExchange& exchange = *exchanges.emplace_back(std::make_unique<FakeExchange>());
    clients.emplace_back([&] { run("/apps/held", exchange); });
  }
  EXPECT_TRUE(wait_until([&] { return pool(0).requests_running().size() == kRequests; }));
  const control::WorkerLimits limits{.request_timeout = 1ms, .interrupt_timeout = 1h};
  LifeKeeper keeper = keep(limits);
  EXPECT_TRUE(wait_until([&] {
    const auto before = std::chrono::steady_clock::now() - limits.request_timeout;
    return std::ranges::all_of(pool(0).requests_running(),
                               [&](const auto& request) { return request.began < before; });
  }));
  EXPECT_EQ(keeper.advance(0), std::nullopt);
  EXPECT_EQ(engine_.its_watch.interruptions, kRequests);
  EXPECT_EQ(engine_.its_watch.collections, 1u);
  release_.count_down();
  clients.clear();
  for (const auto& exchange : exchanges) {
    EXPECT_THAT(exchange->recorder().text_of(Message::busy_stacks), HasSubstr("keep_the_lock"));
  }
}

}  // namespace
}  // namespace pyhost::test
