#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/control_channel.h"
#include "supervisor/status_reader.h"
#include "supervisor/wanted_state.h"

namespace pyhost::supervisor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

WantedState example() {
  WantedState state{.build = "0.1-abc",
                    .worker_program = "/usr/lib/pyhost-worker",
                    .socket_prefix = "/run/wsgi\xff",
                    .operator_socket = "/run/wsgi\xff.control",
                    .httpd = {.uid = 33, .gid = 34},
                    .log_level = base::LogLevel::debug};
  WantedGroup& group = state.groups.emplace_back();
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
  const auto parsed = parse_wanted_state(to_json(example()));
  ASSERT_TRUE(parsed) << parsed.error().sentence;
  EXPECT_EQ(*parsed, example());
}

TEST(WantedState, RefusesWhatIsMalformed) {
  const std::string good = to_json(example());
  for (const char* broken : {"", "[]", "{", "null", "{}", R"({"groups":[]})"}) {
    EXPECT_FALSE(parse_wanted_state(broken)) << broken;
  }
  for (const auto& [from, to] : {std::pair("\"log_level\":7", "\"log_level\":9"),
                                 {"\"httpd_uid\":33", "\"httpd_uid\":-1"},
                                 {"\"httpd_uid\":33", "\"httpd_uid\":4294967296"},
                                 {"\"index\":4", "\"index\":\"4\""},
                                 {"[\"umask\",\"022\"]", "[\"umask\"]"},
                                 {"[\"umask\",\"022\"]", "[\"umask\",18]"},
                                 {"\"0.1-abc\"", "\"\xc4\x80\""}}) {
    std::string text = good;
    const auto at = text.find(from);
    ASSERT_NE(at, text.npos) << from;
    EXPECT_FALSE(parse_wanted_state(text.replace(at, std::string(from).size(), to))) << to;
  }
}

TEST(WantedState, ChecksOptionsAgain) {
  std::string text = to_json(example());
  text.replace(text.find("\"022\""), 5, "\"099\"");
  const auto parsed = parse_wanted_state(text);
  ASSERT_FALSE(parsed);
  EXPECT_THAT(parsed.error().sentence, HasSubstr("umask=099 is not accepted"));
}

TEST(Answer, SurvivesTheJourney) {
  const auto parsed = parse_answer(to_json(Answer{{"one", "tw\xff"}}));
  ASSERT_TRUE(parsed);
  EXPECT_THAT(parsed->errors, ElementsAre("one", "tw\xff"));
  for (const char* broken : {"", "[]", "{}", R"({"errors":1})", R"({"errors":[1]})"}) {
    EXPECT_FALSE(parse_answer(broken)) << broken;
  }
}

TEST(ControlChannel, PassesALongTextAndDescriptorsInOrder) {
  auto channel = make_control_channel();
  ASSERT_TRUE(channel);
  const std::string text(3u << 20, 'x');
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const base::UniqueFd read_end(ends[0]), write_end(ends[1]);
  ASSERT_TRUE(send_message(channel->first.get(), text, std::vector{ends[1], ends[0]}));
  const auto message = receive_message(channel->second.get());
  ASSERT_TRUE(message && *message);
  EXPECT_EQ((*message)->text, text);
  ASSERT_THAT((*message)->descriptors, SizeIs(2));
  const int received = (*message)->descriptors[0].get();
  EXPECT_EQ(fcntl(received, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  ASSERT_EQ(write(received, "!", 1), 1);
  char byte = 0;
  ASSERT_EQ(read((*message)->descriptors[1].get(), &byte, 1), 1);
  EXPECT_EQ(byte, '!');
}

TEST(ControlChannel, TellsTheEndFromAMessage) {
  auto channel = make_control_channel();
  ASSERT_TRUE(send_message(channel->first.get(), "", {}));
  channel->first.reset();
  const auto last = receive_message(channel->second.get());
  ASSERT_TRUE(last && *last);
  EXPECT_EQ((*last)->text, "");
  const auto end = receive_message(channel->second.get());
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
  EXPECT_FALSE(send_message(channel->second.get(), "", {}));
}

TEST(ControlChannel, DoesNotWaitForEver) {
  const auto channel = make_control_channel();
  EXPECT_FALSE(receive_message(channel->first.get(), std::chrono::milliseconds(1)));
}

TEST(ControlChannel, RefusesPacketsOfOthers) {
  const auto channel = make_control_channel();
  ASSERT_EQ(send(channel->first.get(), "pyhost", 6, 0), 6);
  EXPECT_FALSE(receive_message(channel->second.get()));
}

TEST(ControlChannel, RefusesMoreDescriptorsThanTheKernelPasses) {
  const auto channel = make_control_channel();
  const std::vector<int> many(kDescriptorsMax, STDERR_FILENO);
  EXPECT_TRUE(send_message(channel->first.get(), "", many));
  const auto message = receive_message(channel->second.get());
  ASSERT_TRUE(message && *message);
  EXPECT_THAT((*message)->descriptors, SizeIs(kDescriptorsMax));
  const std::vector<int> too_many(kDescriptorsMax + 1, STDERR_FILENO);
  EXPECT_FALSE(send_message(channel->first.get(), "", too_many));
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

  std::optional<StatusReader> reader;
  base::UniqueFd writer;
};

TEST_F(StatusReaderTest, UnderstandsEveryReport) {
  say("{\"step\":\"import\"}\n{\"ready\":true}\n{\"failed\":\"no \\\"x\\\"\"}\n");
  EXPECT_THAT(reader->read(), ElementsAre(StatusReport{StatusReport::Kind::step, "import"},
                                          StatusReport{StatusReport::Kind::ready, ""},
                                          StatusReport{StatusReport::Kind::failed, "no \"x\""}));
  EXPECT_FALSE(reader->at_end());
}

TEST_F(StatusReaderTest, UnderstandsWhyAWorkerLeaves) {
  say("{\"relieve\":\"restart-interval\"}\n{\"draining\":\"request-timeout\"}\n");
  EXPECT_THAT(reader->read(),
              ElementsAre(StatusReport{StatusReport::Kind::relieve, "restart-interval"},
                          StatusReport{StatusReport::Kind::draining, "request-timeout"}));
}

TEST_F(StatusReaderTest, UnderstandsWhatAWorkerSaysOfItsScripts) {
  say("{\"outdated\":\"/a.wsgi\"}\n{\"imported\":[\"shop\",\"/\u00c3\u00a4.wsgi\",\"run\"]}\n");
  const StatusReport imported{StatusReport::Kind::imported, "", {"shop", "/\xc3\xa4.wsgi", "run"}};
  EXPECT_THAT(reader->read(),
              ElementsAre(StatusReport{StatusReport::Kind::outdated, "/a.wsgi"}, imported));
  say("{\"imported\":[\"shop\",\"/a.wsgi\"]}\n{\"imported\":[\"shop\",\"/a.wsgi\",1]}\n"
      "{\"imported\":\"/a.wsgi\"}\n{\"outdated\":1}\n");
  EXPECT_THAT(reader->read(), IsEmpty());
}

TEST_F(StatusReaderTest, UnderstandsWhichVersionOfAScriptAWorkerHasMet) {
  say(R"({"outdated":"/a.wsgi","file":[18446744073709551615,2,3,-4,5]})"
      "\n"
      R"({"outdated":"/a.wsgi","file":[1,2,3,4]})"
      "\n"
      R"({"outdated":"/a.wsgi","file":[1,2,3,4,"5"]})"
      "\n");
  constexpr base::FileIdentity kFile{UINT64_MAX, 2, 3, -4, 5};
  const StatusReport unknown{StatusReport::Kind::outdated, "/a.wsgi"};
  EXPECT_THAT(reader->read(),
              ElementsAre(StatusReport{StatusReport::Kind::outdated, "/a.wsgi", {}, kFile}, unknown,
                          unknown));
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
  say("{\"step\":\"" + std::string(kStatusLineMax, 'x'));
  EXPECT_THAT(reader->read(), IsEmpty());
  say("\"}\n{\"ready\":true}\n");
  EXPECT_THAT(reader->read(), ElementsAre(StatusReport{StatusReport::Kind::ready, ""}));
}

TEST_F(StatusReaderTest, SeesTheEnd) {
  say("{\"ready\":true}\n");
  writer.reset();
  EXPECT_THAT(reader->read(), SizeIs(1));
  EXPECT_TRUE(reader->at_end());
}

}  // namespace
}  // namespace pyhost::supervisor
