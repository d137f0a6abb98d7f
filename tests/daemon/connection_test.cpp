// How a request gets a connection to a worker, and what it does when there is none.
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "daemon/group_fixture.h"

namespace pyhost::test {
namespace {

using base::Message;
using gateway::Outcome;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class RemoteConnection : public GroupTest {
 protected:
  void SetUp() override {
    applications_.add("/apps/hello", [](const gateway::Target&, gateway::Exchange& exchange) {
      return reply(exchange, "hello");
    });
  }

  bool request_waits() const {
    return wait_until([&] { return scoreboard_.queue(0).length() == 1; });
  }
};

// Lets this process open no descriptor until the end of its scope.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const base::UniqueFd first_free(::dup(STDIN_FILENO));
    const rlimit none{.rlim_cur = static_cast<rlim_t>(first_free.get()),
                      .rlim_max = before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(RemoteConnection, BriefLackOfDescriptorsIsWaitedFor) {
  settings_.connect_timeout = 2 * kPatience;
  start_worker(0);
  engine();
  FakeExchange exchange;
  std::thread client;
  {
    const NoMoreDescriptors none;
    client = std::thread([&] { run("/apps/hello", exchange); });
    EXPECT_TRUE(request_waits());
  }
  client.join();
  EXPECT_EQ(exchange.body(), "hello");
}

TEST_F(RemoteConnection, LastingLackOfDescriptorsIsNamed) {
  settings_.connect_timeout = 20ms;
  start_worker(0);
  engine();
  FakeExchange exchange;
  {
    const NoMoreDescriptors none;
    EXPECT_EQ(run("/apps/hello", exchange).status, 503);
  }
  EXPECT_THAT(exchange.recorder().text_of(Message::worker_unreachable),
              HasSubstr("Too many open files"));
}

TEST_F(RemoteConnection, FullBacklogIsWaitedForOutsideOfTheWorker) {
  settings_.connect_timeout = 2 * kPatience;
  base::UniqueFd listening = declare_worker(0);
  ASSERT_EQ(::listen(listening.get(), 0), 0);  // room for one
  const wire::Connection other = connect_to(0);
  engine();
  FakeExchange exchange;
  std::thread client([&] { run("/apps/hello", exchange); });
  EXPECT_TRUE(request_waits());
  serve_slot(0, std::move(listening));
  client.join();
  EXPECT_EQ(exchange.body(), "hello");
}

}  // namespace
}  // namespace pyhost::test
