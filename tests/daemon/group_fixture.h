// A process group inside the test's own process: real sockets, real pools, a scripted engine.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "harness/fake_engine.h"
#include "harness/fake_exchange.h"
#include "harness/group_board.h"
#include "harness/temp_dir.h"
#include "harness/wait.h"
#include "remote/remote_engine.h"
#include "wire/connection.h"
#include "worker/thread_pool.h"

namespace pyhost::test {

// A bound and listening socket for that path.
base::UniqueFd listen_at(const std::string& path);

// One group with three slots; a slot has no worker until the test starts one.
class GroupTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kSlots = 3;

  GroupTest();
  ~GroupTest() override;

  // Starts a pool in the slot and declares it ready. `adjust` does what the supervisor does to the
  // listening socket.
  void start_worker(std::uint32_t slot, unsigned threads = 4,
                    const std::function<void(int listening)>& adjust = {});
  worker::ThreadPool& pool(std::uint32_t slot) { return *pools_[slot]; }
  // Only a listening socket: the test plays the worker.
  base::UniqueFd declare_worker(std::uint32_t slot, unsigned threads = 4);
  // Starts a pool at that socket.
  void serve_slot(std::uint32_t slot, base::UniqueFd listening, unsigned threads = 4);
  // A connection of a child of the test's own making.
  wire::Connection connect_to(std::uint32_t slot) const;
  // The child's engine; made at first use from `settings`.
  remote::RemoteEngine& engine();

  gateway::Outcome run(std::string_view script, FakeExchange& exchange);

  TempDir folder_;
  GroupBoard scoreboard_{kSlots, 2, 64};
  FakeEngine applications_;
  LogRecorder worker_log_;
  worker::PoolSettings pool_settings_;
  remote::RemoteSettings settings_;

 private:
  std::unique_ptr<worker::ThreadPool> pools_[kSlots];
  std::unique_ptr<remote::RemoteEngine> engine_;
};

}  // namespace pyhost::test
