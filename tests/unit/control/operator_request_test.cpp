#include "control/operator_request.h"

#include <gmock/gmock.h>

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

TEST(OperatorRequest, IsAnsweredInOneLineWhateverTheSentence) {
  EXPECT_EQ(control::done_answer("a\nb"), R"({"done":"a\nb"})");
  EXPECT_EQ(control::error_answer("\xff"), "{\"error\":\"\xef\xbf\xbd\"}");
}

}  // namespace
}  // namespace pyhost::control
