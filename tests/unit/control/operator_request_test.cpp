#include "control/operator_request.h"

#include <gmock/gmock.h>

namespace pyhost::supervisor {
namespace {

using Command = OperatorRequest::Command;
using Waiting = OperatorRequest::Waiting;

TEST(OperatorRequest, IsOneLineOfJson) {
  EXPECT_EQ(*parse_operator_request(R"({"command":"status"})"), OperatorRequest{});
  EXPECT_EQ(*parse_operator_request(R"({"command":"reload","group":"sh\u00f6p"})"),
            (OperatorRequest{Command::reload, "sh\xc3\xb6p", Waiting::on}));
  EXPECT_EQ(*parse_operator_request(R"({"command":"stop","group":"one","wait":false})"),
            (OperatorRequest{Command::stop, "one", Waiting::off}));
  EXPECT_EQ(parse_operator_request(R"({"command":"start","group":"one","wait":true})")->command,
            Command::start);
}

TEST(OperatorRequest, IsRefusedWhenItIsMalformed) {
  for (const char* broken :
       {"", "null", "[]", "{", "{}", R"({"command":1})", R"({"command":"destroy"})",
        R"({"command":"reload"})", R"({"command":"stop","group":""})",
        R"({"command":"stop","group":7})", R"({"command":"stop","group":"a","wait":"no"})"}) {
    EXPECT_FALSE(parse_operator_request(broken)) << broken;
  }
}

TEST(OperatorRequest, IsAnsweredInOneLineWhateverTheSentence) {
  EXPECT_EQ(done_answer("a\nb"), R"({"done":"a\nb"})");
  EXPECT_EQ(error_answer("\xff"), "{\"error\":\"\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace pyhost::supervisor
