// What a worker says of a run, and what of it is believed.
#include <gmock/gmock.h>

#include "daemon/group_fixture.h"
#include "daemon/played_worker.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;
using namespace std::chrono_literals;

class WorkersWord : public GroupTest {};

TEST_F(WorkersWord, MakesNoRunLongerThanItsRequest) {
  using std::chrono::microseconds;
  constexpr gateway::RunFigures kBoasted{.application = 1h,
                                         .interpreter_wait = microseconds::max()};
  std::thread boastful = play_worker(declare_worker(0), [&](wire::Connection& connection) {
    take_request(connection);
    std::string reply;
    ASSERT_TRUE(wire::encode_head({.status = 200}, reply));
    wire::encode_end(kBoasted, reply);
    send_text(connection, reply);
  });
  FakeExchange exchange;
  const auto before = base::Clock::now();
  const Outcome outcome = run("/apps/hello", exchange);
  const auto passed = base::Clock::now() - before;
  boastful.join();
  EXPECT_EQ(outcome.kind, Outcome::Kind::complete);
  EXPECT_LE(outcome.figures.application, passed);
  EXPECT_LE(outcome.figures.interpreter_wait, passed);
  EXPECT_GE(exchange.times().sent, before);
}

TEST_F(WorkersWord, OfWhatOnlyHttpdCanKnowIsNotBelieved) {
  std::thread presumptuous = play_worker(declare_worker(0), [&](wire::Connection& connection) {
    take_request(connection);
    std::string reply;
    wire::encode_error({.status = 503, .cause = "so", .failure = gateway::FailureCause::queue_full},
                       reply);
    send_text(connection, reply);
  });
  FakeExchange exchange;
  const Outcome outcome = run("/apps/hello", exchange);
  presumptuous.join();
  EXPECT_EQ(outcome.status, 503);
  EXPECT_EQ(outcome.failure, gateway::FailureCause::worker_broken);
}

}  // namespace
}  // namespace pyhost::test
