#include "control/operator_request.h"

#include <gmock/gmock.h>

#include "control/status_answer.h"

namespace pyhost::control {
namespace {

using Command = control::OperatorRequest::Command;
using Waiting = control::OperatorRequest::Waiting;

TEST(OperatorRequest, IsOneLineOfJson) {
  EXPECT_EQ(*control::parse_operator_request(R"({"command":"status"})"),
            control::OperatorRequest{});
  EXPECT_EQ(*control::parse_operator_request(R"({"command":"reload","group":"sh\u00f6p"})"),
            (control::OperatorRequest{Command::reload, "sh\xc3\xb6p", Waiting::on}));
  EXPECT_EQ(*control::parse_operator_request(R"({"command":"stop","group":"one","wait":false})"),
            (control::OperatorRequest{Command::stop, "one", Waiting::off}));
  EXPECT_EQ(
      control::parse_operator_request(R"({"command":"start","group":"one","wait":true})")->command,
      Command::start);
}

TEST(OperatorRequest, IsRefusedWhenItIsMalformed) {
  for (const char* broken :
       {"", "null", "[]", "{", "{}", R"({"command":1})", R"({"command":"destroy"})",
        R"({"command":"reload"})", R"({"command":"stop","group":""})",
        R"({"command":"stop","group":7})", R"({"command":"stop","group":"a","wait":"no"})"}) {
    EXPECT_FALSE(control::parse_operator_request(broken)) << broken;
  }
}

TEST(OperatorRequest, SurvivesTheJourney) {
  for (const OperatorRequest& request :
       {OperatorRequest{}, OperatorRequest{Command::stop, "sh\xc3\xb6p", Waiting::off}}) {
    EXPECT_EQ(*parse_operator_request(to_json(request)), request);
  }
}

TEST(OperatorRequest, IsAnsweredInOneLineWhateverTheSentence) {
  EXPECT_EQ(control::done_answer("a\nb"), R"({"done":"a\nb"})");
  EXPECT_EQ(control::error_answer("\xff"), "{\"error\":\"\xef\xbf\xbd\"}");
  EXPECT_EQ(**parse_short_answer(done_answer("a\nb")), "a\nb");
  EXPECT_EQ(parse_short_answer(error_answer("no"))->error().sentence, "no");
  EXPECT_FALSE(parse_short_answer("{}"));
  EXPECT_EQ(parse_short_answer("[")->error().sentence, "the supervisor's answer is no JSON object");
}

TEST(StatusAnswer, SurvivesTheJourneyAndKeepsItsOrder) {
  const std::string text =
      R"({"supervisor":{"pid":17},"refused":{"reason":"no","since_us":5},"groups":[{"name":"site",)"
      R"("state":"degraded","reason":null,"processes":1,"threads":15,"waiting":2,"workers":[{"slot")"
      R"(:0,"role":"keeper","state":"ready","pid":18,"generation":2,"requests":100,"busy_threads":3,)"
      R"("resident_bytes":1048576,"processor_us":2500,)"
      R"("last_death":{"generation":1,"pid":16,"time_us":9,"description":"d"}}],"scripts":[{)"
      R"("application_group":"","script":"/a.wsgi","state":"kept","reason":"so","since_us":7,)"
      R"("slots":[0]}],"running":[{"method":"GET","path":"/cart","id":"4b","age_us":12,"slot":null,)"
      R"("pid":19},{"method":"","path":"","id":"","age_us":0,"slot":0,"pid":18}]}]})";
  const auto answer = parse_status_answer(text);
  ASSERT_TRUE(answer) << answer.error().sentence;
  EXPECT_EQ(answer->groups.at(0).workers.at(0).last_death->description, "d");
  EXPECT_EQ(to_json(*answer), text);
}

TEST(StatusAnswer, OfAnotherBuildHasDefaultsForWhatIsNotKnown) {
  const auto answer = parse_status_answer(
      R"({"mood":"good","refused":7,"groups":[{"name":4,"threads":"many","workers":[{"pid":3}]}]})");
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->refused);
  EXPECT_EQ(answer->groups.at(0).name, "");
  EXPECT_EQ(answer->groups.at(0).threads, 0u);
  EXPECT_EQ(answer->groups.at(0).workers.at(0).pid, 3);
}

}  // namespace
}  // namespace pyhost::control
