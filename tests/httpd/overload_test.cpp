// More clients than a process group has threads for.

#include <gmock/gmock.h>

#include <algorithm>
#include <map>

#include "harness/httpd.h"
#include "harness/soak.h"
#include "httpd/crowd.h"
#include "httpd/diary.h"

namespace pyhost::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using testing::Each;
using testing::Field;
using testing::IsEmpty;
using testing::Not;

constexpr int kThreads = 2;
constexpr auto kWork = 50ms;
// For what takes a second at most; work that piles up would take much longer.
constexpr auto kSlowMachine = 20s;
constexpr char kWorkSeconds[] = "0.05";

class Overload : public testing::Test {
 protected:
  // As many as a test machine has processes for when each needs one of httpd.
  static int clients() { return default_mpm() == Mpm::prefork ? 60 : 200; }

  void start(int queue, int event_children = 2) {
    httpd_.emplace(
        "MaxKeepAliveRequests 0\n"
        "WSGIDaemonProcess g threads=2 queue=" +
            std::to_string(queue) +
            "\n"
            "WSGIScriptAlias / ${APPS}/labour.wsgi process-group=g\n"
            "SetEnv DIARY ${ROOT}/diary/requests\n",
        default_mpm() == Mpm::prefork
            ? Options{.processes = clients(), .processes_left = clients()}
            : Options{.processes = event_children, .threads = 2 * clients()});
    diary_ = httpd_->make_writable("diary") + "/requests";
    // The import of the script is no work.
    EXPECT_EQ(request("first").status, 200);
  }
  Response request(const std::string& id) const {
    return httpd_->request({.path = "/", .headers = {{"X-Id", id}}});
  }
  // What the first request after the load takes.
  std::chrono::milliseconds time_of_next() const {
    const auto begun = steady_clock::now();
    EXPECT_EQ(request("next").status, 200);
    return std::chrono::ceil<std::chrono::milliseconds>(steady_clock::now() - begun);
  }

  std::optional<Httpd> httpd_;
  std::string diary_;
};

TEST_F(Overload, IsRefusedAtOnceAndLeavesNothingOfTheCapacityUnused) {
  const auto time = soaking() ? 20s : 5s;
  start(20);
  httpd_->expect_log("PH0452");
  Crowd crowd(*httpd_, {.clients = clients(), .seconds = kWorkSeconds});
  crowd.go_on(kThreads);
  const int before = crowd.answered();
  (void)wait_until([] { return false; }, time);
  const int answered = crowd.answered() - before;
  crowd.finish();
  EXPECT_THAT(crowd.failures(), Not(IsEmpty()));
  EXPECT_THAT(crowd.failures(), Each(Field(&Response::status, 503)));
  const auto capacity = kThreads * (time / kWork);
  // How near it comes depends on what else the machine does.
  EXPECT_GT(answered, capacity / (soaking() ? 2 : 10));
  // Those who wait for their turn wait for half a second.
  EXPECT_LT(crowd.slowest_refusal(), kSlowMachine);
  EXPECT_LT(time_of_next(), kSlowMachine);
  RecordProperty("percent_of_capacity", static_cast<int>(100 * answered / capacity));
  RecordProperty("refused", static_cast<int>(crowd.failures().size()));
  RecordProperty("slowest_refusal_ms", static_cast<int>(crowd.slowest_refusal().count()));
  RecordProperty("next_ms", static_cast<int>(time_of_next().count()));
}

TEST_F(Overload, LosesNobodyWhenTheQueueIsLongEnough) {
  start(2 * clients());
  Crowd crowd(*httpd_, {.clients = clients(), .requests_of_each = 1, .seconds = kWorkSeconds});
  crowd.wait();
  EXPECT_THAT(crowd.failures(), IsEmpty());
  EXPECT_EQ(crowd.answered(), clients());
  RecordProperty("slowest_reply_ms", static_cast<int>(crowd.slowest_reply().count()));
}

// Each client sends its next request when it has the reply to the last, so that in turn means that
// all get about as many.
TEST_F(Overload, ServesThoseThatWaitInTurn) {
  constexpr int kClients = 30;
  constexpr int kTurns = 10;
  // Children of prefork, or clients, may be paused while the others have their turns; a child of
  // event would take half of the clients with it.
  constexpr std::ptrdiff_t kPausedMost = kClients / 5;
  start(2 * kClients, 1);
  Crowd crowd(*httpd_, {.clients = kClients, .requests_of_each = kTurns, .seconds = kWorkSeconds});
  crowd.wait();
  EXPECT_THAT(crowd.failures(), IsEmpty());
  std::map<std::string, int> turns;
  for (const std::string& id : Diary::read(diary_).in_order) {
    if (!id.starts_with("crowd-")) continue;
    if (++turns[id.substr(0, id.rfind('-'))] == kTurns) break;
  }
  EXPECT_GE(turns.size(), std::size_t{kClients - kPausedMost});
  const auto left_behind = [](const auto& turn) { return turn.second < kTurns - 3; };
  EXPECT_LE(std::ranges::count_if(turns, left_behind), kPausedMost)
      << testing::PrintToString(turns);
}

TEST_F(Overload, LeavesNoWorkForClientsThatHaveGone) {
  constexpr int kMost = 20;
  start(2 * clients());
  {
    std::vector<RawConnection> gone;
    for (int i = 0; i < clients(); ++i) {
      gone.push_back(httpd_->connect());
      gone.back().send("GET / HTTP/1.1\r\nHost: localhost\r\nX-Seconds: 2\r\nX-Id: gone-" +
                       std::to_string(i) + "\r\n\r\n");
    }
    EXPECT_TRUE(wait_until([this] { return Diary::read(diary_).begun.size() > kThreads; }));
  }
  EXPECT_LT(time_of_next(), kSlowMachine);
  EXPECT_LT(Diary::read(diary_).begun.size(), std::size_t{kMost});
}

}  // namespace
}  // namespace pyhost::test
