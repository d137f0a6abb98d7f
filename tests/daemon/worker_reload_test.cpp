// A worker whose script changes, with a real CPython inside; the test is its supervisor.
#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "control/worker_orders.h"
#include "daemon/worker_fixture.h"
#include "harness/process.h"
#include "pyhost/base/file_identity.h"

namespace pyhost::test {
namespace {

using gateway::Outcome;
using OrderKind = control::WorkerOrder::Kind;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

constexpr std::string_view kOld = R"(
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'old']
)";
constexpr std::string_view kNew = R"(
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'new']
)";

std::int64_t now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

// The clock of files.
std::int64_t tick_us() {
  timespec tick{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &tick);
  return tick.tv_sec * 1'000'000 + tick.tv_nsec / 1'000;
}

class WorkerOfChangedScript : public WorkerProcess {
 protected:
  // With another modification time.
  void rewrite(const std::string& path, std::string_view text) {
    const auto before = std::filesystem::last_write_time(path);
    std::ofstream(path, std::ios::trunc) << text;
    std::filesystem::last_write_time(path, before + 1s);
  }

  std::string body_of(const std::string& path) {
    FakeExchange exchange;
    run(path, exchange);
    return exchange.body();
  }

  // The script, and which version of it.
  static auto says_outdated(const std::string& script) {
    const base::FileIdentity file = base::identity_of(script);
    return AllOf(HasSubstr(fmt::format(R"("outdated":"{}")", script)),
                 HasSubstr(fmt::format(R"("file":[{},{},{},{},{}])", file.device, file.inode,
                                       file.bytes, file.modified_us, file.changed_us)));
  }

  // The next line that is no step.
  std::string next_report() {
    std::string line = next_line();
    while (line.find("step") != line.npos) line = next_line();
    return line;
  }
};

TEST_F(WorkerOfChangedScript, SaysWhatItHasImported) {
  const std::string site = script("site.wsgi", kOld);
  spawn_and_wait();
  EXPECT_EQ(body_of(site), "old");
  EXPECT_EQ(next_report(), fmt::format(R"({{"imported":["","{}","application",false]}})", site));
}

// So that a reload that begins with the reply makes a successor that imports it.
TEST_F(WorkerOfChangedScript, SaysWhatItHasImportedBeforeItReplies) {
  const std::string gate = make_gate();
  const std::string site = script("site.wsgi", fmt::format(R"(
class Reply(list):
    def close(self):
        open('{}').close()
def application(environ, start_response):
    start_response('200 OK', [])
    return Reply([b'reply'])
)",
                                                           gate));
  spawn_and_wait();
  EXPECT_EQ(body_of(site), "reply");
  // Whatever comes at the end of the request has not happened yet.
  pollfd report{.fd = status_.get(), .events = POLLIN, .revents = 0};
  EXPECT_EQ(::poll(&report, 1, 0), 1);
  const base::UniqueFd opened(::open(gate.c_str(), O_WRONLY | O_CLOEXEC));
  EXPECT_THAT(next_report(), HasSubstr(site));
}

TEST_F(WorkerOfChangedScript, SendsRequestsBackUntilItIsReplaced) {
  const std::string site = script("site.wsgi", kOld);
  settings_.group.startup_timeout = settings_.group.connect_timeout = 200ms;
  spawn_and_wait();
  EXPECT_EQ(body_of(site), "old");
  next_report();
  rewrite(site, kNew);
  FakeExchange exchange;
  EXPECT_EQ(run(site, exchange).status, 503);
  EXPECT_THAT(exchange.recorder().text_of(base::Message::worker_unreachable),
              HasSubstr("the script has changed"));
  EXPECT_EQ(scoreboard_->status(0).state, scoreboard::SlotState::standby);
  EXPECT_THAT(next_report(), says_outdated(site));
}

TEST_F(WorkerOfChangedScript, GoesOnWithOldCodeWhenItIsPutBack) {
  const std::string site = script("site.wsgi", kOld);
  spawn_and_wait();
  EXPECT_EQ(body_of(site), "old");
  next_report();
  rewrite(site, "1/0");
  engine();
  std::string body;
  std::thread client([&] { body = body_of(site); });
  EXPECT_THAT(next_report(), HasSubstr("outdated"));
  scoreboard_->keep_generation(0, now_us());
  scoreboard_->set_state(0, scoreboard::SlotState::ready);
  client.join();
  EXPECT_EQ(body, "old");
  EXPECT_EQ(body_of(site), "old");
  EXPECT_EQ(describe_status((::kill(pid_, SIGTERM), wait_for_end())), "exit code 0");
  EXPECT_THAT(log(), Not(HasSubstr("ZeroDivisionError")));
}

TEST_F(WorkerOfChangedScript, IsReplacedForTheChangeAfterTheOneItWasPutBackFor) {
  const std::string site = script("site.wsgi", kOld);
  settings_.group.startup_timeout = settings_.group.connect_timeout = 200ms;
  spawn_and_wait();
  EXPECT_EQ(body_of(site), "old");
  next_report();
  rewrite(site, "1/0");
  const std::int64_t kept_until_us = now_us();
  scoreboard_->keep_generation(0, kept_until_us);
  EXPECT_EQ(body_of(site), "old");
  // The kernel stamps files with a clock that lags behind by up to a tick.
  EXPECT_TRUE(wait_until([&] { return tick_us() > kept_until_us; }));
  rewrite(site, kNew);
  FakeExchange exchange;
  EXPECT_EQ(run(site, exchange).status, 503);
  EXPECT_THAT(next_report(), says_outdated(site));
}

TEST_F(WorkerOfChangedScript, IsNotMisledByAClockThatIsSetBackOrForward) {
  const std::string site = script("site.wsgi", kOld);
  spawn_and_wait();
  EXPECT_EQ(body_of(site), "old");
  next_report();
  for (const auto offset : {3h, 0h, 6h}) {
    rewrite(site, "1/0");
    std::string body;
    std::jthread client([&] { body = body_of(site); });
    EXPECT_THAT(next_report(), HasSubstr("outdated"));
    scoreboard_->keep_generation(0, now_us() + std::chrono::microseconds(offset).count());
    scoreboard_->set_state(0, scoreboard::SlotState::ready);
    client.join();
    EXPECT_EQ(body, "old");
  }
}

TEST_F(WorkerOfChangedScript, ImportsWhatItsPredecessorHad) {
  const std::string site = script("site.wsgi", kNew);
  worker_.assignment.imports_required = true;
  worker_.assignment.imports = {
      {.application_group = "", .script = site, .callable = "application"},
      {.application_group = "", .script = folder_.path() + "/gone.wsgi"},
      {.application_group = "", .script = "/elsewhere/foreign.wsgi"}};
  spawn();
  EXPECT_EQ(next_report(), fmt::format(R"({{"imported":["","{}","application",false]}})", site));
  EXPECT_EQ(next_report(), R"({"ready":true})");
}

TEST_F(WorkerOfChangedScript, AsksWhetherToServeWhenARequiredImportFails) {
  const std::string site = script("site.wsgi", "1/0");
  worker_.assignment.imports_required = true;
  worker_.assignment.imports = {{.application_group = "", .script = site}};
  spawn();
  EXPECT_THAT(next_report(), AllOf(HasSubstr(fmt::format(R"("lacks":["","{}","",false])", site)),
                                   HasSubstr("could not be imported: ZeroDivisionError")));
  EXPECT_EQ(next_report(), R"({"asks":true})");
  ASSERT_TRUE(send_order(status_.get(), OrderKind::leave));
  EXPECT_THAT(next_report(), HasSubstr(R"({"failed":"script )"));
  EXPECT_EQ(describe_status(wait_for_end()), "exit code 1");
  EXPECT_THAT(log(), HasSubstr("Traceback"));
}

TEST_F(WorkerOfChangedScript, ServesWithoutARequiredCallableWhenItIsTold) {
  const std::string site = script("site.wsgi", "answer = 42");
  const std::string other = script("other.wsgi", kNew);
  worker_.assignment.imports_required = true;
  worker_.assignment.imports = {
      {.application_group = "", .script = site, .callable = "application"}};
  spawn();
  EXPECT_THAT(next_report(), HasSubstr("does not define 'application'"));
  EXPECT_EQ(next_report(), R"({"asks":true})");
  ASSERT_TRUE(send_order(status_.get(), OrderKind::serve));
  EXPECT_EQ(next_report(), R"({"ready":true})");
  scoreboard_->set_state(0, scoreboard::SlotState::ready);
  EXPECT_EQ(body_of(other), "new");
  EXPECT_FALSE(scoreboard_->serves(0, gateway::script_key("", site)));
  EXPECT_TRUE(scoreboard_->serves(0, gateway::script_key("", other)));
}

TEST_F(WorkerOfChangedScript, EndsWhileItAsksWhenItIsTold) {
  const std::string site = script("site.wsgi", "1/0");
  worker_.assignment.imports_required = true;
  worker_.assignment.imports = {{.application_group = "", .script = site}};
  spawn();
  next_report();
  EXPECT_EQ(next_report(), R"({"asks":true})");
  EXPECT_EQ(describe_status((::kill(pid_, SIGTERM), wait_for_end())), "exit code 0");
}

TEST_F(WorkerOfChangedScript, SaysWhatItCouldNotImportAndAnswersWhenNobodyElseCan) {
  const std::string site = script("site.wsgi", "1/0");
  spawn_and_wait();
  FakeExchange exchange;
  EXPECT_EQ(run(site, exchange).status, 500);
  EXPECT_THAT(exchange.recorder().text_of(base::Message::script_raised),
              AllOf(HasSubstr("could not be imported: ZeroDivisionError"), HasSubstr("Traceback")));
  EXPECT_EQ(exchange.recorder().text_of(base::Message::reply_broken), "");
  EXPECT_THAT(next_report(), HasSubstr(R"("lacks")"));
  // The same process does not import it again, but says that it is wanted.
  std::string again;
  EXPECT_TRUE(wait_until([&] {
    FakeExchange next;
    EXPECT_EQ(run(site, next).status, 500);
    EXPECT_EQ(next.recorder().text_of(base::Message::script_raised), "");
    pollfd report{.fd = status_.get(), .events = POLLIN, .revents = 0};
    return ::poll(&report, 1, 0) == 1;
  }));
  EXPECT_EQ(next_report(),
            fmt::format(R"({{"import_again":["","{}","application",false]}})", site));
}

TEST_F(WorkerOfChangedScript, BecomesAKeeperOfSomeScripts) {
  const std::string site = script("site.wsgi", kOld);
  const std::string other = script("other.wsgi", kOld);
  settings_.rows_per_slot = kSlots;
  settings_.group.connect_timeout = settings_.group.startup_timeout = 200ms;
  spawn_and_wait();
  EXPECT_EQ(body_of(site), "old");
  EXPECT_EQ(body_of(other), "old");
  next_report();
  next_report();
  EXPECT_TRUE(wait_until([&] { return scoreboard_->status(0).requests == 2; }));
  constexpr std::uint32_t kKeeperRow = 1;
  const base::UniqueFd socket = listen_at(settings_.socket_paths[kKeeperRow]);
  scoreboard_->begin_generation(kKeeperRow, pid_, 1, worker_.group.threads);
  const control::KeepOrder order{.slot = kKeeperRow, .scripts = {gateway::script_key("", site)}};
  ASSERT_TRUE(send_order(status_.get(), OrderKind::keep, to_json(order), socket.get()));
  EXPECT_EQ(next_report(), R"({"keeping":true})");
  scoreboard_->set_state(kKeeperRow, scoreboard::SlotState::ready);
  EXPECT_EQ(scoreboard_->status(0).state, scoreboard::SlotState::standby);
  EXPECT_EQ(scoreboard_->status(kKeeperRow).requests, 2u);
  EXPECT_EQ(body_of(site), "old");
  EXPECT_TRUE(wait_until([&] { return scoreboard_->status(kKeeperRow).requests == 3; }));
  FakeExchange exchange;
  EXPECT_EQ(run(other, exchange).status, 503);
  EXPECT_EQ(describe_status((::kill(pid_, SIGTERM), wait_for_end())), "exit code 0");
}

}  // namespace
}  // namespace pyhost::test
