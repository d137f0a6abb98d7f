#include "pyapi/recorder.h"

#include <gmock/gmock.h>

#include <deque>
#include <map>

namespace pyhost::pyapi {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class RecorderTest : public testing::Test {
 protected:
  void SetUp() override { recorder_.start(now()); }

  Moment now() const {
    return {
        point_,
        std::chrono::duration_cast<std::chrono::microseconds>(point_.time_since_epoch()).count(),
        {}};
  }
  void pass(base::Clock::duration time) { point_ += time; }
  void begin(int thread) {
    recorder_.begin(thread, point_);
    began_[thread].push_back(point_);
  }
  // The one that has begun first.
  void end(int thread, const std::optional<CompletedRequest>& request) {
    recorder_.end(thread, began_[thread].front(), point_, request);
    began_[thread].pop_front();
  }
  Window window() { return recorder_.take_window(now()); }
  Totals totals() const { return recorder_.totals(point_); }

  base::TimePoint point_{1000h};
  std::map<int, std::deque<base::TimePoint>> began_;
  Recorder recorder_;
};

TEST_F(RecorderTest, CountsWhatHasEndedInTheWindow) {
  begin(1);
  pass(2s);
  end(1, CompletedRequest{.status = 200,
                          .input_bytes = 10,
                          .input_reads = 1,
                          .output_bytes = 30,
                          .output_writes = 2});
  begin(1);
  pass(1s);
  end(1, CompletedRequest{.status = 404});
  pass(1s);
  const Window window = this->window();
  EXPECT_EQ(window.end.point - window.start.point, 4s);
  EXPECT_EQ(window.sums.count, 2u);
  EXPECT_THAT(window.sums.statuses, ElementsAre(0, 1, 0, 1, 0));
  EXPECT_EQ(window.sums.input_bytes, 10u);
  EXPECT_EQ(window.sums.output_writes, 2u);
  ASSERT_EQ(window.threads.size(), 1u);
  EXPECT_EQ(window.threads[0].completed, 2u);
  EXPECT_EQ(window.threads[0].busy, 3s);
  EXPECT_EQ(window.threads[0].longest, 2s);
  EXPECT_EQ(window.threads[0].elapsed, 0s);
}

TEST_F(RecorderTest, BeginsEachWindowWhereTheOneBeforeHasEnded) {
  begin(1);
  pass(1s);
  end(1, CompletedRequest{.status = 200});
  const Window first = window();
  pass(5s);
  const Window second = window();
  EXPECT_EQ(first.end.point, second.start.point);
  EXPECT_EQ(second.start.us, first.end.us);
  EXPECT_EQ(second.sums.count, 0u);
  EXPECT_EQ(second.threads[0].busy, 0s);
  EXPECT_EQ(second.threads_active, 0u);
  EXPECT_EQ(second.threads_started, 1u);
}

TEST_F(RecorderTest, SharesARequestOutToTheWindowsThatItRunsIn) {
  begin(2);
  pass(3s);
  const Window first = window();
  ASSERT_EQ(first.threads.size(), 2u);
  EXPECT_EQ(first.threads[1].busy, 3s);
  EXPECT_EQ(first.threads[1].elapsed, 3s);
  EXPECT_EQ(first.threads[1].completed, 0u);
  EXPECT_EQ(first.threads_active, 1u);
  EXPECT_EQ(first.threads_started, 1u);
  pass(2s);
  end(2, CompletedRequest{.status = 200, .processor_us = 7});
  const Window second = window();
  EXPECT_EQ(second.threads[1].busy, 2s);
  EXPECT_EQ(second.threads[1].longest, 5s);
  EXPECT_EQ(second.threads[1].processor_us, 7);
  EXPECT_EQ(second.threads_active, 1u);
}

TEST_F(RecorderTest, AddsUpWhatHasHappenedSinceItWasStarted) {
  begin(1);
  begin(3);
  pass(1s);
  end(1, CompletedRequest{.status = 200});
  window();
  pass(1s);
  EXPECT_EQ(totals().count, 1u);
  EXPECT_EQ(totals().active, 1u);
  EXPECT_EQ(totals().busy, 3s);
  EXPECT_THAT(totals().counts, ElementsAre(1, 0, 0));
}

TEST_F(RecorderTest, LeavesOutARequestOfWhichNothingHasCome) {
  begin(1);
  pass(1s);
  end(1, std::nullopt);
  EXPECT_EQ(totals().count, 0u);
  EXPECT_EQ(totals().busy, 1s);
  EXPECT_EQ(window().threads_started, 0u);
}

TEST_F(RecorderTest, CountsTheTimeOnceInWhichAThreadHasSeveralRequests) {
  begin(1);
  pass(1s);
  begin(1);
  pass(1s);
  end(1, CompletedRequest{.status = 200});
  EXPECT_EQ(totals().active, 1u);
  pass(1s);
  end(1, CompletedRequest{.status = 200});
  pass(1s);
  EXPECT_EQ(totals().busy, 3s);
  EXPECT_EQ(totals().active, 0u);
  const Window window = this->window();
  EXPECT_EQ(window.threads[0].completed, 2u);
  EXPECT_EQ(window.threads[0].longest, 2s);
}

TEST_F(RecorderTest, KeepsThePartsOfRequests) {
  CompletedRequest request{.status = 500};
  request[Phase::application] = 4'000;
  request[Phase::request] = 9'000;
  begin(1);
  end(1, request);
  const RequestSums sums = window().sums;
  EXPECT_EQ(sums.phases[std::size_t(Phase::application)].sum_us(), 4'000);
  EXPECT_EQ(sums.phases[std::size_t(Phase::queue)].count(), 0u);
  EXPECT_EQ(sums.statuses[4], 1u);
}

TEST_F(RecorderTest, IsStartedOnce) {
  pass(2s);
  recorder_.start(now());
  EXPECT_EQ(window().start.point, base::TimePoint(1000h));
}

}  // namespace
}  // namespace pyhost::pyapi
