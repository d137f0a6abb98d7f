// What a run says of itself: how long it took, and why it failed.

#include <gmock/gmock.h>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using gateway::FailureCause;
using std::chrono::milliseconds;

constexpr milliseconds kSlept(30);

TEST(RunFigures, HaveTheApplicationsTimeWithThatOfClose) {
  const Reply reply = run_source(R"(
import time

class Body:
    def __iter__(self):
        time.sleep(0.01)
        yield b'one'
    def close(self):
        time.sleep(0.01)

def application(environ, start_response):
    start_response('200 OK', [])
    time.sleep(0.01)
    return Body()
)");
  EXPECT_TRUE(reply.complete());
  EXPECT_GE(reply.outcome.figures.application, kSlept);
}

TEST(RunFigures, OfAnApplicationThatFailsAreThereToo) {
  const Reply reply = run_source(R"(
import time

def application(environ, start_response):
    time.sleep(0.03)
    raise ValueError
)");
  EXPECT_GE(reply.outcome.figures.application, kSlept);
  EXPECT_EQ(reply.outcome.failure, FailureCause::exception);
}

// A worker sends END before close() is called.
TEST(RunFigures, OfAReplyThatEndsAreThoseUntilThen) {
  const Reply reply = run_source(R"(
import time

def application(environ, start_response):
    time.sleep(0.03)
    start_response('200 OK', [])
    yield b'one'
)");
  EXPECT_TRUE(reply.complete());
  EXPECT_GE(reply.exchange->end_figures().application, kSlept);
}

struct FailureCase {
  const char* source;
  FailureCause cause;
};

TEST(Failure, IsNamedByWhatWentWrong) {
  constexpr FailureCase kCases[] = {
      {"def application(environ, start_response):\n  raise SystemExit\n", FailureCause::exception},
      {"def application(environ, start_response):\n  return [b'x']\n", FailureCause::exception},
      {"import nothing_like_it\n", FailureCause::import_failed},
      {"other = None\n", FailureCause::import_failed},
      {"def application(environ, start_response):\n"
       "  start_response('200 OK', [('Content-Length', '9')])\n  return [b'x']\n",
       FailureCause::reply_invalid},
      {"def application(environ, start_response):\n"
       "  start_response('200 OK', [])\n  return [b'x']\n",
       FailureCause::none},
  };
  for (const FailureCase& failure : kCases) {
    EXPECT_EQ(run_source(failure.source).outcome.failure, failure.cause) << failure.source;
  }
}

TEST(Failure, OfTheClientsBodyIsTheClients) {
  const Reply reply = run_source(
      "def application(environ, start_response):\n  environ['wsgi.input'].read()\n",
      {.body_steps = {{.bytes = "", .fault = gateway::BodyFault::client_gone}}, .chunked = true});
  EXPECT_EQ(reply.outcome.failure, FailureCause::upload);
}

}  // namespace
}  // namespace pyhost::test
