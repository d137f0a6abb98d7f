// Workers that do not serve any more although they have not ended.

#include <gmock/gmock.h>
#include <signal.h>

#include <future>
#include <random>
#include <set>

#include "harness/error_log.h"
#include "harness/httpd.h"
#include "harness/soak.h"
#include "harness/stopped_process.h"
#include "httpd/crowd.h"
#include "httpd/diary.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// The short timeouts are for the end of a worker that is stopped: it does not hear SIGTERM.
std::string config(int processes) {
  return "WSGIDaemonProcess g processes=" + std::to_string(processes) +
         " threads=5 graceful-timeout=1 eviction-timeout=1 shutdown-timeout=1\n"
         "WSGIScriptAlias /labour ${APPS}/labour.wsgi process-group=g application-group=%{GLOBAL}\n"
         "WSGIScriptAlias /closes ${APPS}/closes.wsgi process-group=g application-group=%{GLOBAL}\n"
         "SetEnv DIARY ${ROOT}/diary/requests\n";
}

class Liveness : public testing::Test {
 protected:
  explicit Liveness(int processes) : httpd_(config(processes), {.processes = 4}) {
    httpd_.make_writable("diary");
  }

  std::vector<pid_t> workers() const { return httpd_.running("pyhost-worker"); }
  bool are_replaced(const std::vector<pid_t>& before, std::size_t number) const {
    return wait_until([&] {
      const std::vector<pid_t> now = workers();
      return now.size() == number && std::ranges::none_of(now, [&](pid_t pid) {
               return std::ranges::find(before, pid) != before.end();
             });
    });
  }
  Response get_from_labour() const {
    return httpd_.request(
        {.path = "/labour?x", .headers = {{"X-Id", "x"}, {"X-Seconds", "0.001"}}});
  }
  // Of those who have served so many requests at a time that there is something for every worker.
  std::set<pid_t> pids_of_many() const {
    std::vector<std::future<Response>> replies;
    for (int i = 0; i < 8; ++i) {
      replies.push_back(std::async(std::launch::async, [this] {
        return httpd_.request(
            {.path = "/labour?x", .headers = {{"X-Id", "x"}, {"X-Seconds", "0.05"}}});
      }));
    }
    std::set<pid_t> pids;
    for (auto& each : replies) {
      const Response reply = each.get();
      EXPECT_EQ(reply.status, 200);
      pids.insert(pid_of(reply));
    }
    return pids;
  }
  pid_t pid_of(const Response& reply) const {
    return std::stoi(reply.header("x-pid").value_or("-1"));
  }
  // As many children of httpd as there are come to have connections to the workers.
  void warm_up() const {
    for (int i = 0; i < 20; ++i) EXPECT_EQ(get_from_labour().status, 200);
  }

  Httpd httpd_;
};

// --- Stopped workers ---

class OneOfTwoWorkers : public Liveness {
 protected:
  OneOfTwoWorkers() : Liveness(2) {}
};

TEST_F(OneOfTwoWorkers, ThatIsStoppedCostsNoRequestAndIsReplaced) {
  httpd_.expect_log("PH0424");
  httpd_.expect_log("PH0405");
  warm_up();
  const std::vector<pid_t> before = workers();
  ASSERT_THAT(before, SizeIs(2));
  const pid_t stopped = before.front();
  stop_process(stopped);
  const auto all = std::async(std::launch::async, [this] { warm_up(); });
  // One that waited for the stopped worker would wait for it to be replaced, and then some.
  EXPECT_EQ(all.wait_for(4s), std::future_status::ready);
  all.wait();
  httpd_.wait_for_log("PH0424");
  EXPECT_THAT(httpd_.log(),
              HasSubstr("(pid " + std::to_string(stopped) + ", generation 1) has not run for 5 s"));
  EXPECT_TRUE(are_replaced({stopped}, 2));
  EXPECT_EQ(get_from_labour().status, 200);
}

TEST_F(OneOfTwoWorkers, ThatGoesOnInTimeServesAsBefore) {
  warm_up();
  const std::vector<pid_t> before = workers();
  ASSERT_THAT(before, SizeIs(2));
  for (const pid_t pid : before) {
    stop_process(pid);
    EXPECT_THAT(pids_of_many(), Not(Contains(pid)));
    kill(pid, SIGCONT);
    EXPECT_TRUE(wait_until([&] { return pids_of_many().contains(pid); }));
  }
  EXPECT_EQ(workers(), before);
  EXPECT_THAT(httpd_.log(), Not(HasSubstr("PH0424")));
}

class OnlyWorker : public Liveness {
 protected:
  OnlyWorker() : Liveness(1) {}
};

TEST_F(OnlyWorker, ThatIsStoppedLeavesWhatItHasNotReadToItsSuccessor) {
  httpd_.expect_log("PH0424");
  httpd_.expect_log("PH0405");
  warm_up();
  const std::vector<pid_t> before = workers();
  ASSERT_THAT(before, SizeIs(1));
  stop_process(before.front());
  std::vector<std::future<Response>> replies;
  for (int i = 0; i < 8; ++i) {
    replies.push_back(std::async(std::launch::async, [this] { return get_from_labour(); }));
  }
  for (auto& each : replies) {
    const Response reply = each.get();
    EXPECT_EQ(reply.status, 200);
    EXPECT_NE(pid_of(reply), before.front());
  }
  EXPECT_TRUE(are_replaced(before, 1));
}

TEST_F(OnlyWorker, ThatGoesOnServesWhatWasSentMeanwhile) {
  warm_up();
  const std::vector<pid_t> before = workers();
  ASSERT_THAT(before, SizeIs(1));
  stop_process(before.front());
  auto reply = std::async(std::launch::async, [this] { return get_from_labour(); });
  EXPECT_EQ(reply.wait_for(500ms), std::future_status::timeout);
  kill(before.front(), SIGCONT);
  EXPECT_EQ(reply.get().status, 200);
  EXPECT_EQ(workers(), before);
}

// --- Under load ---

class StopStorm : public Liveness {
 protected:
  static constexpr int kClients = 16;

  StopStorm() : Liveness(3) {}

  // For a moment, which is shorter than what ends a worker.
  void stop_one() {
    const std::vector<pid_t> pids = workers();
    if (pids.empty()) return;
    const pid_t pid = pids[random_() % pids.size()];
    kill(pid, SIGSTOP);
    pause(1ms * (random_() % 200));
    kill(pid, SIGCONT);
    pause(1ms * (random_() % 50));
  }
  static void pause(std::chrono::milliseconds time) {
    (void)wait_until([] { return false; }, time);
  }

  std::mt19937 random_{1};
};

TEST_F(StopStorm, LosesNoRequestAndRunsNoneTwice) {
  const auto storm = soaking() ? 60s : 8s;
  // A machine may be so busy that even those that are not stopped seem to be.
  httpd_.tolerate_log("PH0424");
  httpd_.tolerate_log("MaxRequestWorkers");
  Crowd crowd(httpd_, {.clients = kClients, .seconds = "0.005"});
  for (const auto end = steady_clock::now() + storm; steady_clock::now() < end;) stop_one();
  crowd.go_on(kClients);
  crowd.finish();
  EXPECT_THAT(crowd.failures(), IsEmpty());
  const Diary diary = Diary::read(httpd_.root() + "/diary/requests");
  EXPECT_THAT(diary.repeated(), IsEmpty());
  EXPECT_EQ(diary.ended.size(), static_cast<std::size_t>(crowd.answered()));
  const std::size_t taken_back = count(httpd_.log(), "PH0467");
  EXPECT_GT(taken_back, 0u);
  RecordProperty("requests", crowd.answered());
  RecordProperty("taken_back", static_cast<int>(taken_back));
}

// --- Closed descriptors ---

TEST_F(OnlyWorker, WhoseDescriptorsAreClosedIsReplacedAtOnce) {
  for (const char* text : {"PH0450", "PH0487", "PH0407"}) httpd_.expect_log(text);
  EXPECT_EQ(httpd_.get("/closes").status, 200);
  const std::vector<pid_t> before = workers();
  ASSERT_THAT(before, SizeIs(1));
  const Response lost = httpd_.request({.path = "/closes", .headers = {{"X-Close", "all"}}});
  EXPECT_EQ(lost.status, 502);
  const Response next = httpd_.get("/closes");
  EXPECT_EQ(next.status, 200);
  EXPECT_THAT(before, Not(Contains(pid_of(next))));
  EXPECT_THAT(httpd_.log(),
              HasSubstr("the worker ended because the application had closed its descriptors "
                        "before it replied"));
  EXPECT_TRUE(are_replaced(before, 1));
}

TEST_F(OnlyWorker, WhoseListeningSocketIsClosedIsReplacedWhenItIsNeeded) {
  httpd_.expect_log("PH0487");
  httpd_.expect_log("PH0407");
  EXPECT_EQ(httpd_.get("/closes").status, 200);
  const std::vector<pid_t> before = workers();
  ASSERT_THAT(before, SizeIs(1));
  EXPECT_EQ(httpd_.request({.path = "/closes", .headers = {{"X-Close", "3"}}}).status, 200);
  EXPECT_TRUE(wait_until([&] {
    EXPECT_EQ(httpd_.get("/closes").status, 200);
    return workers() != before;
  }));
  EXPECT_TRUE(are_replaced(before, 1));
}

}  // namespace
}  // namespace pyhost::test
