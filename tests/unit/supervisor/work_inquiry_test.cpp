#include "supervisor/operators/work_inquiry.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <optional>
#include <thread>

#include "control/worker_orders.h"
#include "os/pipe.h"

namespace pyhost::supervisor {
namespace {

constexpr char kTooMuch[] = "it has more to say than is shown";

// Workers that were asked, and what they write to.
class Inquiry : public testing::Test {
 protected:
  WorkQuestion question(unsigned slot) {
    os::Pipe pipe = os::make_pipe().value();
    fcntl(pipe.read_end.get(), F_SETFL, O_NONBLOCK);
    fcntl(pipe.write_end.get(), F_SETPIPE_SZ, 1 << 20);
    workers.push_back(std::move(pipe.write_end));
    return {.work = {.slot = slot}, .answer = std::move(pipe.read_end)};
  }
  void say(std::size_t worker, std::string_view text) {
    EXPECT_EQ(write(workers[worker].get(), text.data(), text.size()),
              static_cast<ssize_t>(text.size()));
  }
  // The answer when there is nothing more to hear.
  std::vector<control::WorkerWork> answer(WorkInquiry& inquiry, base::TimePoint now) {
    std::optional<std::string> line;
    for (int round = 0; round < 100 && !line; ++round) {
      loop.wait(base::Clock::now());
      line = inquiry.answer(now);
    }
    return line ? control::parse_work_answer(*line).value() : std::vector<control::WorkerWork>();
  }

  const base::TimePoint start = base::Clock::now();
  os::EventLoop loop = os::EventLoop::create().value();
  std::vector<base::UniqueFd> workers;
};

TEST_F(Inquiry, EndsWhenAllHaveSaidWhatTheyDo) {
  std::vector<WorkQuestion> questions;
  questions.push_back(question(0));
  questions.push_back(question(1));
  questions.push_back({.work = {.slot = 2, .problem = "it has gone"}, .answer = {}});
  WorkInquiry inquiry(loop, std::move(questions), start);
  say(0, "a\xff");
  workers[0].reset();
  EXPECT_TRUE(answer(inquiry, start).empty());
  workers[1].reset();
  const auto works = answer(inquiry, start);
  ASSERT_EQ(works.size(), 3u);
  EXPECT_EQ(works[0].text, "a\xff");
  EXPECT_EQ(works[0].problem, std::nullopt);
  EXPECT_EQ(works[1].problem, "it has ended, or has not said what it does");
  EXPECT_EQ(works[2].problem, "it has gone");
}

TEST_F(Inquiry, DoesNotWaitForEver) {
  std::vector<WorkQuestion> questions;
  questions.push_back(question(0));
  WorkInquiry inquiry(loop, std::move(questions), start);
  say(0, "half");
  EXPECT_TRUE(answer(inquiry, inquiry.deadline() - base::Milliseconds(1)).empty());
  const auto works = answer(inquiry, inquiry.deadline());
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0].text, "half");
  EXPECT_EQ(works[0].problem, "it has not said within 5 s what it does");
}

TEST_F(Inquiry, HearsNobodyWhoSaysTooMuch) {
  std::vector<WorkQuestion> questions;
  questions.push_back(question(0));
  WorkInquiry inquiry(loop, std::move(questions), start);
  say(0, std::string(2 * control::kWorkTextMax, 'x'));
  const auto works = answer(inquiry, start);
  ASSERT_EQ(works.size(), 1u);
  EXPECT_GE(works[0].text.size(), control::kWorkTextMax);
  EXPECT_LT(works[0].text.size(), 2 * control::kWorkTextMax);
  EXPECT_EQ(works[0].problem, kTooMuch);
}

}  // namespace
}  // namespace pyhost::supervisor
