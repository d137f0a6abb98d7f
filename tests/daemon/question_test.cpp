// Questions to hook scripts, from a child to workers over real sockets.

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "daemon/group_fixture.h"
#include "wire/messages.h"
#include "wire/question_messages.h"

namespace pyhost::test {
namespace {

using base::Message;
using gateway::Answer;
using gateway::AskResult;
using gateway::Outcome;
using gateway::Question;
using gateway::QuestionKind;
using testing::HasSubstr;
using testing::Not;
using namespace std::chrono_literals;

constexpr char kHook[] = "/hooks/users.py";

// A request of httpd that has to be decided on.
class FakeCaller final : public gateway::ClientCaller {
 public:
  explicit FakeCaller(std::chrono::milliseconds patience = 20s) : patience_(patience) {}

  bool wants(base::LogLevel level) const noexcept override { return recorder_.wants(level); }
  void log(base::LogLevel level, Message message, std::string_view text) noexcept override {
    recorder_.log(level, message, text);
  }
  gateway::ClientSocket client_socket() const noexcept override { return {}; }
  gateway::ClientState client_state() noexcept override {
    return left_ ? gateway::ClientState::gone : gateway::ClientState::ready;
  }
  std::chrono::milliseconds patience() const noexcept override { return patience_; }

  void leave() noexcept { left_ = true; }
  const LogRecorder& recorder() const noexcept { return recorder_; }

 private:
  const std::chrono::milliseconds patience_;
  LogRecorder recorder_{base::LogLevel::trace};
  std::atomic<bool> left_ = false;
};

class Questions : public GroupTest {
 protected:
  Questions() { pool_settings_.targets.hooks = {kHook}; }

  AskResult ask(FakeCaller& caller, QuestionKind kind = QuestionKind::password,
                std::string_view script = kHook) {
    const gateway::EnvironEntry entry{gateway::EnvironKey::request_method, {}, "GET"};
    const Question question{
        .kind = kind, .head = {.environ = {&entry, 1}}, .subject = "anna", .secret = "pw"};
    return engine().ask({.process_group = "blog", .script = script}, question, caller);
  }
  static int status_of(const AskResult& result) { return result ? 0 : result.error().status; }

  // The test plays a worker, which sends these frames for one question after the other and closes
  // the connection each time. The results of the questions.
  std::vector<AskResult> ask_worker_that_sends(const std::vector<std::string>& replies,
                                               FakeCaller& caller);
};

void answer_one(int listening, const std::string& frames) {
  wire::Connection connection(base::UniqueFd(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC)),
                              wire::Descriptors::refused);
  wire::FrameBatch batch;
  wire::encode_hello({.pid = static_cast<std::uint32_t>(::getpid()), .generation = 1},
                     batch.encoded());
  EXPECT_EQ(connection.write(batch, kPatience), wire::Io::done);
  wire::Frame frame;
  EXPECT_EQ(connection.read_frame(frame, kPatience), wire::Io::done);
  EXPECT_EQ(frame.type, wire::FrameType::greeting);
  EXPECT_EQ(connection.read_frame(frame, kPatience), wire::Io::done);
  EXPECT_EQ(frame.type, wire::FrameType::question);
  batch.clear();
  batch.encoded() = frames;
  EXPECT_EQ(connection.write(batch, kPatience), wire::Io::done);
}

std::vector<AskResult> Questions::ask_worker_that_sends(const std::vector<std::string>& replies,
                                                        FakeCaller& caller) {
  const base::UniqueFd listening = declare_worker(0);
  const std::jthread worker([&] {
    for (const std::string& frames : replies) answer_one(listening.get(), frames);
  });
  std::vector<AskResult> results;
  for (std::size_t i = 0; i < replies.size(); ++i) results.push_back(ask(caller));
  return results;
}

TEST_F(Questions, AreAnsweredByAWorker) {
  applications_.add_hook(kHook, [](const Question& question, gateway::Caller& caller) -> AskResult {
    caller.log(base::LogLevel::info, Message::none, "was asked");
    EXPECT_EQ(question.kind, QuestionKind::password);
    EXPECT_EQ(question.subject, "anna");
    EXPECT_EQ(question.secret, "pw");
    EXPECT_EQ(question.head.environ.size(), 1u);
    return Answer{.kind = Answer::Kind::yes};
  });
  start_worker(0);
  FakeCaller caller;
  for (int i = 0; i < 3; ++i) {
    const AskResult result = ask(caller);
    ASSERT_TRUE(result) << result.error().status;
    EXPECT_EQ(result->kind, Answer::Kind::yes);
  }
  EXPECT_THAT(caller.recorder().text(), HasSubstr("was asked"));
  EXPECT_EQ(applications_.runs(), 3u);
}

TEST_F(Questions, NeedNoThreadBesideThatOfTheApplication) {
  applications_.add_hook(kHook, [](const Question&, gateway::Caller&) -> AskResult {
    return Answer{.kind = Answer::Kind::none};
  });
  applications_.add("/apps/hello", [](const gateway::Target&, gateway::Exchange& exchange) {
    return reply(exchange, "hello");
  });
  start_worker(0, 1);
  for (int i = 0; i < 10; ++i) {
    FakeCaller caller;
    EXPECT_TRUE(ask(caller));
    FakeExchange exchange;
    run("/apps/hello", exchange);
    EXPECT_EQ(exchange.body(), "hello");
  }
}

TEST_F(Questions, AreAboutHookScriptsOnly) {
  start_worker(0);
  FakeCaller caller;
  for (const char* script : {"/apps/hello", "/etc/evil"}) {
    EXPECT_EQ(status_of(ask(caller, QuestionKind::access, script)), 500);
  }
  EXPECT_NE(caller.recorder().text_of(Message::target_refused), "");
  EXPECT_EQ(applications_.runs(), 0u);
}

TEST_F(Questions, AreNotForRequests) {
  applications_.add(kHook, [](const gateway::Target&, gateway::Exchange& exchange) {
    return reply(exchange, "the hook ran");
  });
  start_worker(0);
  FakeExchange exchange;
  EXPECT_EQ(run(kHook, exchange).status, 500);
  EXPECT_EQ(applications_.runs(), 0u);
}

TEST_F(Questions, WithoutAnAnswerAreRefused) {
  applications_.add_hook(kHook, [](const Question&, gateway::Caller& caller) -> AskResult {
    caller.log(base::LogLevel::error, Message::application_raised, "it raised");
    return tl::unexpected(Outcome{Outcome::Kind::refused, 500});
  });
  start_worker(0);
  FakeCaller caller;
  EXPECT_EQ(status_of(ask(caller)), 500);
  EXPECT_THAT(caller.recorder().text_of(Message::application_raised), HasSubstr("it raised"));
}

TEST_F(Questions, HaveATimeLimitOfTheirOwn) {
  const auto release = std::make_shared<std::latch>(1);  // the worker outlives this function
  applications_.add_hook(kHook, [release](const Question&, gateway::Caller&) -> AskResult {
    release->wait();
    return Answer{.kind = Answer::Kind::yes};
  });
  start_worker(0, 1);
  FakeCaller caller(60ms);
  const AskResult late = ask(caller);
  EXPECT_EQ(status_of(late), 503);
  EXPECT_NE(late.error().retry_after_seconds, 0u);
  EXPECT_THAT(caller.recorder().text_of(Message::hook_timeout), HasSubstr("no answer within"));
  // The thread is still busy, so the next one does not even get a lease.
  FakeCaller next(60ms);
  EXPECT_EQ(status_of(ask(next)), 503);
  EXPECT_THAT(next.recorder().text_of(Message::hook_timeout), HasSubstr("was not asked"));
  release->count_down();
}

TEST_F(Questions, WaitForNoWorkerForLongerThanTheirLimit) {
  FakeCaller caller(50ms);
  EXPECT_EQ(status_of(ask(caller)), 503);
  EXPECT_THAT(caller.recorder().text_of(Message::hook_timeout), HasSubstr("no worker"));
}

TEST_F(Questions, OfAFullQueueAreRefusedAtOnce) {
  std::latch release(1), entered(1);
  applications_.add_hook(kHook, [&](const Question&, gateway::Caller&) -> AskResult {
    entered.count_down();
    release.wait();
    return Answer{.kind = Answer::Kind::yes};
  });
  settings_.group.queue = 0;
  settings_.socket_paths.resize(1);
  start_worker(0, 1);
  std::thread first([&] {
    FakeCaller caller;
    EXPECT_TRUE(ask(caller));
  });
  entered.wait();
  FakeCaller caller;
  const AskResult full = ask(caller);
  EXPECT_EQ(status_of(full), 503);
  EXPECT_NE(full.error().retry_after_seconds, 0u);
  EXPECT_NE(caller.recorder().text_of(Message::queue_full), "");
  release.count_down();
  first.join();
}

TEST_F(Questions, GoToAnotherWorkerWhenOneHasNotEnteredTheScript) {
  std::atomic<int> asked = 0;
  applications_.add_hook(kHook, [&](const Question&, gateway::Caller&) -> AskResult {
    if (asked++ == 0) return tl::unexpected(Outcome{Outcome::Kind::outdated});
    return Answer{.kind = Answer::Kind::yes};
  });
  start_worker(0);
  start_worker(1);
  FakeCaller caller;
  EXPECT_TRUE(ask(caller));
  EXPECT_EQ(asked, 2);
}

TEST_F(Questions, ThatAWorkerMayHaveEnteredAreNotAskedAgain) {
  FakeCaller caller;
  EXPECT_EQ(status_of(ask_worker_that_sends({""}, caller).front()), 503);
  EXPECT_NE(caller.recorder().text_of(Message::worker_lost), "");
}

TEST_F(Questions, BelieveNoAnswerThatIsNone) {
  const Answer answers[] = {{.kind = Answer::Kind::user, .text = "root"},
                            {.kind = Answer::Kind::text, .text = "a\nb"},
                            {.kind = Answer::Kind::text, .text = ""},
                            {.kind = Answer::Kind::reply, .status = 200}};
  std::vector<std::string> replies;
  for (const Answer& answer : answers) {
    ASSERT_TRUE(wire::encode_answer(answer, replies.emplace_back()));
  }
  FakeCaller caller;
  for (const AskResult& result : ask_worker_that_sends(replies, caller)) {
    EXPECT_EQ(status_of(result), 500);
  }
  EXPECT_THAT(caller.recorder().text_of(Message::reply_forbidden),
              HasSubstr("the worker answered a text with a control character"));
}

TEST_F(Questions, TakeNoReplyOfAnApplicationForAnAnswer) {
  std::string frames;
  ASSERT_TRUE(wire::encode_head({.status = 200}, frames));
  wire::encode_end({}, frames);
  FakeCaller caller;
  EXPECT_EQ(status_of(ask_worker_that_sends({frames}, caller).front()), 500);
  EXPECT_NE(caller.recorder().text_of(Message::frame_malformed), "");
}

TEST_F(Questions, EndWithTheirClient) {
  std::latch entered(1);
  const auto release = std::make_shared<std::latch>(1);  // the worker outlives this function
  applications_.add_hook(kHook,
                         [&entered, release](const Question&, gateway::Caller&) -> AskResult {
                           entered.count_down();
                           release->wait();
                           return Answer{.kind = Answer::Kind::yes};
                         });
  start_worker(0);
  FakeCaller caller;
  std::thread leaves([&] {
    entered.wait();
    caller.leave();
  });
  EXPECT_EQ(status_of(ask(caller)), 400);
  leaves.join();
  release->count_down();
}

TEST_F(Questions, LeaveNoPasswordInTheirLogs) {
  applications_.add_hook(kHook, [](const Question&, gateway::Caller&) -> AskResult {
    return tl::unexpected(Outcome{Outcome::Kind::refused, 500});
  });
  start_worker(0);
  FakeCaller caller;
  ask(caller);
  EXPECT_THAT(caller.recorder().text() + worker_log_.text(), Not(HasSubstr("pw")));
}

}  // namespace
}  // namespace pyhost::test
