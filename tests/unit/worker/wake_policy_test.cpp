#include "worker/wake_policy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "harness/wait.h"

namespace pyhost::worker {
namespace {

using test::wait_until;

constexpr unsigned kThreads = 4;

// How often that thread of this process has waited for something.
long sleeps_of(pid_t thread) {
  std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
  std::string word;
  long sleeps = 0;
  while (status >> word && word != "voluntary_ctxt_switches:") {
  }
  status >> sleeps;
  return sleeps;
}

// Threads of a pool that has no requests but those the test makes.
class PoolOnARota : public testing::Test {
 protected:
  ~PoolOnARota() override { wake_policy_.close(); }

  // As many short requests as one thread needs to be left alone.
  void serve_fast(const void* thread) {
    for (std::uint64_t i = 0; i < BurstMeter::kWindow; ++i) {
      wake_policy_.await_turn(thread);
      wake_policy_.begin_request();
      wake_policy_.end_request(thread);
    }
  }
  // A thread that awaits its turn once.
  void start_other() {
    others_.emplace_back([this] {
      wake_policy_.await_turn(&others_);
      ++turns_;
    });
  }

  WakePolicy wake_policy_{kThreads};
  int self_ = 0;
  std::atomic<unsigned> turns_ = 0;
  std::vector<std::jthread> others_;
};

TEST_F(PoolOnARota, WaitsForRequestsWithAllItsThreads) {
  for (unsigned i = 0; i < kThreads; ++i) start_other();
  EXPECT_TRUE(wait_until([&] { return turns_ == kThreads; }));
}

TEST_F(PoolOnARota, CallsEverybodyWhenARequestHoldsUpTheOthers) {
  serve_fast(&self_);
  wake_policy_.begin_request();
  for (unsigned i = 1; i < kThreads; ++i) start_other();
  EXPECT_TRUE(wait_until([&] { return turns_ == kThreads - 1; }));
  wake_policy_.end_request(&self_);
}

TEST_F(PoolOnARota, CallsEverybodyWhenRequestsStop) {
  serve_fast(&self_);
  for (unsigned i = 1; i < kThreads; ++i) start_other();
  EXPECT_TRUE(wait_until([&] { return turns_ == kThreads - 1; }));
}

TEST_F(PoolOnARota, LetsOthersRestWhileOneServesThemAll) {
  std::jthread busy([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) serve_fast(&self_);
  });
  std::atomic<pid_t> thread = 0;
  std::jthread other([&](const std::stop_token& stop) {
    thread = ::gettid();
    while (!stop.stop_requested()) wake_policy_.await_turn(&other);
  });
  // It rests for a short time again and again, and need not get a turn in between.
  EXPECT_TRUE(wait_until([&] { return thread != 0; }));
  const long before = sleeps_of(thread);
  EXPECT_TRUE(wait_until([&] { return sleeps_of(thread) > before + 3; }));
  busy.request_stop();
  other.request_stop();
}

TEST_F(PoolOnARota, CallsEverybodyWhenItCloses) {
  std::jthread busy([this](const std::stop_token& stop) {
    while (!stop.stop_requested()) serve_fast(&self_);
  });
  for (unsigned i = 1; i < kThreads; ++i) start_other();
  wake_policy_.close();
  EXPECT_TRUE(wait_until([&] { return turns_ == kThreads - 1; }));
}

}  // namespace
}  // namespace pyhost::worker
