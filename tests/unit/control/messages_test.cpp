#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/control_channel.h"
#include "control/wanted_state.h"
#include "control/worker_report.h"
#include "pyhost/gateway/build_id.h"

namespace pyhost::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

control::WantedState example() {
  control::WantedState state{.socket_prefix = "/run/wsgi\xff",
                             .operator_socket = "/run/wsgi\xff.control",
                             .monitor_gid = 4,
                             .stacks_socket = "/run/wsgi\xff.stacks",
                             .httpd = {.uid = 33, .gid = 34},
                             .python_home = "/srv/venv\xff",
                             .plugins = {{.path = "/usr/lib/p.so", .python_version = "3.11"}},
                             .log = {.level = base::LogLevel::debug},
                             .revival = true};
  control::WantedGroup& group = state.groups.emplace_back();
  group.options.name = "sh\xc3\xb6p \"1\"";
  group.options.env = {"A=\x80\xfe", "B=2"};
  group.options.umask = 022;
  group.options.processes = 1;
  group.options.response_flush_delay = std::chrono::milliseconds(7);
  group.index = 4;
  group.log = 1;
  group.worker_settings = R"({"a":[1,"x"]})";
  return state;
}

TEST(WantedState, SurvivesTheJourneyWithAnyBytes) {
  const auto parsed = control::parse_wanted_state(to_json(example()));
  ASSERT_TRUE(parsed) << parsed.error().sentence;
  EXPECT_EQ(*parsed, example());
}

TEST(WantedState, RefusesWhatIsMalformed) {
  const std::string good = to_json(example());
  for (const char* broken : {"", "[]", "{", "null", "{}", R"({"groups":[]})"}) {
    EXPECT_FALSE(control::parse_wanted_state(broken)) << broken;
  }
  for (const auto& [from, to] : {std::pair("\"level\":7", "\"level\":9"),
                                 {"\"httpd_uid\":33", "\"httpd_uid\":-1"},
                                 {"\"httpd_uid\":33", "\"httpd_uid\":4294967296"},
                                 {"\"revival\":true", "\"revival\":1"},
                                 {"[\"/usr/lib/p.so\",\"3.11\"]", "[\"/usr/lib/p.so\"]"},
                                 {"\"index\":4", "\"index\":\"4\""},
                                 {"[\"umask\",\"022\"]", "[\"umask\"]"},
                                 {"[\"umask\",\"022\"]", "[\"umask\",18]"}}) {
    std::string text = good;
    const auto at = text.find(from);
    ASSERT_NE(at, text.npos) << from;
    EXPECT_FALSE(control::parse_wanted_state(text.replace(at, std::string(from).size(), to))) << to;
  }
}

TEST(WantedState, OfAnotherBuildIsRefusedForThatAlone) {
  const auto parsed = control::parse_wanted_state(R"({"build":"0.9-other","groups":1})");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().sentence,
            std::string("pyhost-supervisor is of build ") + gateway::kBuildId +
                ", mod_pyhost of build 0.9-other; stop httpd and start it again");
}

TEST(WantedState, ChecksOptionsAgain) {
  std::string text = to_json(example());
  text.replace(text.find("\"022\""), 5, "\"099\"");
  const auto parsed = control::parse_wanted_state(text);
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().sentence, HasSubstr("umask=099 is not accepted"));
}

TEST(Answer, SurvivesTheJourney) {
  const auto parsed = control::parse_answer(to_json(control::Answer{{"one", "tw\xff"}}));
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->errors, ElementsAre("one", "tw\xff"));
  for (const char* broken : {"", "[]", "{}", R"({"errors":1})", R"({"errors":[1]})"}) {
    EXPECT_FALSE(control::parse_answer(broken)) << broken;
  }
}

constexpr std::chrono::milliseconds kNoPatience{0};

class Channel : public testing::Test {
 protected:
  Channel() {
    auto made = control::make_control_channel();
    EXPECT_TRUE(made) << made.error().sentence;
    if (made) channel = *std::move(made);
  }
  void send(std::uint64_t number, std::string_view text, const std::vector<int>& descriptors = {}) {
    const auto sent =
        control::send_message(channel.httpd.get(), number, text, descriptors, kNoPatience);
    EXPECT_TRUE(sent) << sent.error().sentence;
  }
  control::ControlReceiver heed_us() const {
    return control::ControlReceiver(channel.supervisor.get(),
                                    control::Sender{.pid = getpid(), .uid = getuid()});
  }

  control::ControlChannel channel;
};

TEST_F(Channel, PassesALongTextAndDescriptorsInOrder) {
  const std::string text(3u << 20, 'x');
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const base::UniqueFd read_end(ends[0]), write_end(ends[1]);
  send(7, text, {ends[1], ends[0]});
  control::ControlReceiver receiver = heed_us();
  const auto message = receiver.read();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->number, 7u);
  EXPECT_EQ(message->text, text);
  ASSERT_THAT(message->descriptors, SizeIs(2));
  const int received = message->descriptors[0].get();
  EXPECT_EQ(fcntl(received, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  ASSERT_EQ(write(received, "!", 1), 1);
  char byte = 0;
  ASSERT_EQ(read(message->descriptors[1].get(), &byte, 1), 1);
  EXPECT_EQ(byte, '!');
}

TEST_F(Channel, PassesAnyNumberOfDescriptors) {
  for (const std::size_t count : {252u, 253u, 254u, 900u}) {
    send(count, "", std::vector<int>(count, STDERR_FILENO));
    control::ControlReceiver receiver = heed_us();
    const auto message = receiver.read();
    ASSERT_TRUE(message) << count;
    EXPECT_EQ(message->problem, "");
    EXPECT_THAT(message->descriptors, SizeIs(count));
  }
}

TEST_F(Channel, SaysThatDescriptorsHaveNoRoom) {
  send(3, "", std::vector<int>(900, STDERR_FILENO));
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit few{.rlim_cur = 200, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  control::ControlReceiver receiver = heed_us();
  const auto message = receiver.read();
  setrlimit(RLIMIT_NOFILE, &before);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->number, 3u);
  EXPECT_THAT(message->problem, HasSubstr("limit of open files"));
  // The rest of it is not taken for another one.
  while (const auto rest = receiver.read()) EXPECT_NE(rest->problem, "");
  send(4, "good");
  EXPECT_EQ(receiver.read()->text, "good");
}

TEST_F(Channel, TellsTheEndFromAMessage) {
  send(1, "");
  channel.httpd.reset();
  control::ControlReceiver receiver = heed_us();
  const auto last = receiver.read();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->text, "");
  EXPECT_FALSE(receiver.read());
  EXPECT_TRUE(receiver.at_end());
  EXPECT_FALSE(control::send_message(channel.supervisor.get(), 1, "", {}, kNoPatience));
}

TEST_F(Channel, DoesNotWaitForEver) {
  control::ControlReceiver receiver(channel.httpd.get());
  EXPECT_FALSE(
      control::await_message(receiver, channel.httpd.get(), 1, std::chrono::milliseconds(1)));
  EXPECT_FALSE(receiver.at_end());
  base::Result<> sent;
  while (sent) sent = control::send_message(channel.httpd.get(), 1, "", {}, kNoPatience);
  EXPECT_THAT(sent.error().sentence, HasSubstr("does not take"));
}

TEST_F(Channel, DropsAnswersToWhatNobodyAsksAnyMore) {
  for (const std::uint64_t number : {4, 5, 6}) {
    ASSERT_TRUE(control::send_message(channel.supervisor.get(), number, std::to_string(number), {},
                                      kNoPatience));
  }
  control::ControlReceiver receiver(channel.httpd.get());
  const auto answer =
      control::await_message(receiver, channel.httpd.get(), 6, std::chrono::seconds(10));
  ASSERT_TRUE(answer) << answer.error().sentence;
  EXPECT_EQ(answer->text, "6");
}

TEST_F(Channel, RefusesPacketsOfAnotherKind) {
  ASSERT_EQ(::send(channel.httpd.get(), "pyhost", 6, 0), 6);
  control::ControlReceiver receiver = heed_us();
  const auto message = receiver.read();
  ASSERT_TRUE(message);
  EXPECT_THAT(message->problem, HasSubstr("malformed"));
}

TEST_F(Channel, HeedsNobodyButTheProcessThatItIsFor) {
  const pid_t other = fork();
  if (other == 0) {
    const auto sent = control::send_message(channel.httpd.get(), 1, "theirs", {}, kNoPatience);
    _exit(sent ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(other, &status, 0), other);
  ASSERT_EQ(status, 0);
  send(2, "ours");
  control::ControlReceiver receiver = heed_us();
  const auto message = receiver.read();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->text, "ours");
  const auto stranger = receiver.take_stranger();
  ASSERT_TRUE(stranger);
  EXPECT_EQ(stranger->pid, other);
  EXPECT_EQ(stranger->uid, getuid());
  EXPECT_FALSE(receiver.take_stranger());
}

class StatusReaderTest : public testing::Test {
 protected:
  StatusReaderTest() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    reader.emplace(base::UniqueFd(ends[0]));
    writer.reset(ends[1]);
  }
  void say(std::string_view text) {
    ASSERT_EQ(write(writer.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }

  std::optional<control::StatusReader> reader;
  base::UniqueFd writer;
};

using Kind = StatusReport::Kind;

TEST_F(StatusReaderTest, UnderstandsEveryReport) {
  const gateway::Script file{"shop", "/\xc3\xa4\xff.wsgi", "run"};
  const gateway::Script module{"", "package.site", "app", gateway::TargetKind::module};
  constexpr base::FileIdentity kFile{UINT64_MAX, 2, 3, -4, 5};
  const std::vector<StatusReport> all{
      {.kind = Kind::step, .step = StartStep::preload},
      {.kind = Kind::ready},
      {.kind = Kind::failed, .text = "no \"x\""},
      {.kind = Kind::relieve, .reason = EndReason::restart_interval},
      {.kind = Kind::draining, .reason = EndReason::request_timeout},
      {.kind = Kind::alive},
      {.kind = Kind::outdated, .text = "/a.wsgi", .file = kFile},
      {.kind = Kind::imported, .script = file},
      {.kind = Kind::lacks, .text = "so", .script = module},
      {.kind = Kind::import_again, .script = file},
      {.kind = Kind::asks},
      {.kind = Kind::keeping}};
  for (const StatusReport& report : all) say(to_json(report) + "\n");
  EXPECT_EQ(reader->read(), all);
  EXPECT_FALSE(reader->at_end());
}

// The forms that other builds, and those without a library for JSON, write.
TEST_F(StatusReaderTest, UnderstandsAFailureOfAnyBuild) {
  say("{\"failed\":\"no \\\"x\\\"\"}\n");
  EXPECT_THAT(reader->read(), ElementsAre(StatusReport{.kind = Kind::failed, .text = "no \"x\""}));
}

TEST_F(StatusReaderTest, TakesTheFirstLineOfAReason) {
  EXPECT_EQ(parse_status(to_json({.kind = Kind::lacks, .text = "one\ntwo"}))->text, "one");
}

TEST_F(StatusReaderTest, DropsWhatHasNoMeaning) {
  say("{\"step\":\"dance\"}\n{\"draining\":\"boredom\"}\n{\"asks\":1}\n{\"lacks\":[1]}\n"
      "{\"imported\":[\"shop\",\"/a.wsgi\"]}\n{\"imported\":[\"shop\",\"/a.wsgi\",1,false]}\n"
      "{\"imported\":\"/a.wsgi\"}\n{\"outdated\":1}\n");
  EXPECT_THAT(reader->read(), IsEmpty());
}

TEST_F(StatusReaderTest, KnowsNoFileWhereTheReportHasNone) {
  const StatusReport unknown{.kind = Kind::outdated, .text = "/a.wsgi"};
  say("{\"outdated\":\"/a.wsgi\"}\n");
  say(R"({"outdated":"/a.wsgi","file":[1,2,3,4]})"
      "\n"
      R"({"outdated":"/a.wsgi","file":[1,2,3,4,"5"]})"
      "\n");
  EXPECT_THAT(reader->read(), ElementsAre(unknown, unknown, unknown));
}

TEST_F(StatusReaderTest, PutsLinesTogether) {
  say("{\"ready\":");
  EXPECT_THAT(reader->read(), IsEmpty());
  say("true}\n");
  EXPECT_THAT(reader->read(), SizeIs(1));
}

TEST_F(StatusReaderTest, DropsWhatIsNoReport) {
  say("\n{}\n[]\nx\n{\"ready\":1}\n{\"ready\":false}\n{\"step\":1}\n{\"ready\":true}\n");
  EXPECT_THAT(reader->read(), SizeIs(1));
}

TEST_F(StatusReaderTest, DropsAnOverlongLineAndGoesOn) {
  say("{\"step\":\"" + std::string(os::kStatusLineMax, 'x'));
  EXPECT_THAT(reader->read(), IsEmpty());
  say("\"}\n{\"ready\":true}\n");
  EXPECT_THAT(reader->read(), ElementsAre(StatusReport{.kind = Kind::ready}));
}

TEST_F(StatusReaderTest, SeesTheEnd) {
  say("{\"ready\":true}\n");
  writer.reset();
  EXPECT_THAT(reader->read(), SizeIs(1));
  EXPECT_TRUE(reader->at_end());
}

}  // namespace
}  // namespace pyhost::control
