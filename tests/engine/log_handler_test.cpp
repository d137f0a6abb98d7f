// mod_wsgi.LogHandler.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using base::LogLevel;
using ::testing::HasSubstr;
using ::testing::Values;

class LogHandler : public ::testing::TestWithParam<const char*> {
 protected:
  // Runs `body` in a request, with `log` a logger that has the handler alone.
  Reply in_request(std::string_view body, FakeRequest request = {}) {
    return run_source(fmt::format(R"(
import logging, mod_wsgi, threading
log = logging.Logger('shop')
handler = mod_wsgi.LogHandler()
log.addHandler(handler)
def application(environ, start_response):
{}
    start_response('200 OK', [])
    return [b'done']
)",
                                  body),
                      std::move(request), GetParam());
  }

  static std::string levels_of(const LogRecorder& log) {
    std::string levels;
    for (const LogRecord& record : log.records()) {
      if (record.message == base::Message::none) {
        levels += fmt::format("{} {}\n", int(record.level), record.text);
      }
    }
    return levels;
  }
};

INSTANTIATE_TEST_SUITE_P(, LogHandler, Values("", "sub"), [](const auto& test) {
  return *test.param == '\0' ? "OfTheMainInterpreter" : "OfASubInterpreter";
});

TEST_P(LogHandler, SendsEachLevelAsHttpdsOwn) {
  const Reply reply = in_request(R"(
    for level in (60, 50, 45, 40, 30, 25, 20, 10, 5):
        log.log(level, 'at %s', level)
)");
  EXPECT_EQ(reply.body(), "done");
  EXPECT_EQ(levels_of(reply.exchange->recorder()),
            fmt::format("{0} at 60\n{0} at 50\n{1} at 45\n{1} at 40\n{2} at 30\n{3} at 25\n"
                        "{3} at 20\n{4} at 10\n{4} at 5\n",
                        int(LogLevel::crit), int(LogLevel::error), int(LogLevel::warn),
                        int(LogLevel::info), int(LogLevel::debug)));
}

TEST_P(LogHandler, IsBesideWhatIsPrintedAtLevelsOfItsOwn) {
  const Reply reply = in_request(R"(
    import sys
    sys.stdout.write('one')
    sys.stderr.write('two\n')
    sys.stdout.write(' line\n')
    environ['wsgi.errors'].write('three\n')
)");
  EXPECT_EQ(reply.body(), "done");
  EXPECT_EQ(
      levels_of(reply.exchange->recorder()),
      fmt::format("{0} two\n{1} one line\n{0} three\n", int(LogLevel::error), int(LogLevel::info)));
}

TEST_P(LogHandler, FormatsNothingThatIsNotKept) {
  const Reply reply = in_request(R"(
    class Loud:
        def __str__(self):
            raise AssertionError('was formatted')
    log.info('%s', Loud())
    log.warning('kept')
)",
                                 {.log_level = LogLevel::warn});
  EXPECT_EQ(levels_of(reply.exchange->recorder()), "4 kept\n") << int(LogLevel::warn);
}

TEST_P(LogHandler, IsAHandlerLikeOthers) {
  const Reply reply = in_request(R"(
    assert isinstance(handler, logging.Handler) and handler.level == logging.NOTSET
    assert mod_wsgi.LogHandler is type(handler)
    assert mod_wsgi.LogHandler.__module__ == 'mod_wsgi'
    class Mine(mod_wsgi.LogHandler):
        def format(self, record):
            return 'mine: ' + super().format(record)
    own = logging.Logger('own')
    own.addHandler(Mine(logging.ERROR))
    own.warning('left out')
    own.error('there')
)");
  EXPECT_EQ(reply.body(), "done") << reply.log();
  EXPECT_EQ(levels_of(reply.exchange->recorder()),
            fmt::format("{} mine: there\n", int(LogLevel::error)));
}

TEST_P(LogHandler, KeepsATracebackInOneRecord) {
  const Reply reply = in_request(R"(
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception('has failed')
)");
  EXPECT_THAT(
      levels_of(reply.exchange->recorder()),
      testing::MatchesRegex("3 has failed\nTraceback \\(most(.|\n)*ZeroDivisionError: .*\n"));
}

TEST_P(LogHandler, ReportsWhatCannotBeFormattedAsOthersDo) {
  const Reply reply = in_request(R"(
    log.error('%d', 'no number')
)");
  EXPECT_EQ(reply.body(), "done");
  EXPECT_THAT(levels_of(reply.exchange->recorder()), HasSubstr("--- Logging error ---"));
}

TEST_P(LogHandler, WritesWhatIsNoUnicodeWithBackslashes) {
  const Reply reply = in_request(R"(
    log.error('a lone \udc80')
)");
  EXPECT_EQ(levels_of(reply.exchange->recorder()), "3 a lone \\udc80\n");
}

TEST_P(LogHandler, GivesRecordsTheIdsOfTheirRequest) {
  const Reply reply =
      in_request(R"(
    handler.setFormatter(logging.Formatter('%(request_id)s %(trace_id)s %(message)s'))
    log.error('inside')
    thread = threading.Thread(target=log.error, args=('outside',))
    thread.start()
    thread.join()
)",
                 {.environ = {{"mod_wsgi.request_id", "r1"}, {"mod_wsgi.trace_id", "t1"}}});
  EXPECT_EQ(reply.body(), "done") << reply.log();
  EXPECT_EQ(levels_of(reply.exchange->recorder()), "3 r1 t1 inside\n");
  EXPECT_THAT(server_log().text_of(base::Message::none), HasSubstr("- - outside\n"));
}

TEST_P(LogHandler, HasAShortWayForRequests) {
  const Reply reply = in_request(R"(
    mod_wsgi.request_log('as information')
    mod_wsgi.request_log(['any', 'object'], logging.WARNING)
    for arguments in ((), ('a', 'b'), (1, 2, 3)):
        try:
            mod_wsgi.request_log(*arguments)
        except TypeError as error:
            print(error)
    def outside():
        try:
            mod_wsgi.request_log('lost')
        except RuntimeError as error:
            log.error(str(error))
    thread = threading.Thread(target=outside)
    thread.start()
    thread.join()
)");
  EXPECT_EQ(reply.body(), "done") << reply.log();
  EXPECT_EQ(levels_of(reply.exchange->recorder()),
            "6 as information\n4 ['any', 'object']\n"
            "6 request_log() takes a message and a level (0 given)\n"
            "6 'str' object cannot be interpreted as an integer\n"
            "6 request_log() takes a message and a level (3 given)\n");
  EXPECT_THAT(server_log().text_of(base::Message::none),
              HasSubstr("no application serves a request in this context\n"));
}

TEST_P(LogHandler, LogsToTheServerOutsideOfRequests) {
  const Reply reply = in_request(R"(
    thread = threading.Thread(target=log.error, args=('of a thread in %s', 'G' + mod_wsgi.application_group))
    thread.start()
    thread.join()
)");
  EXPECT_EQ(levels_of(reply.exchange->recorder()), "");
  EXPECT_THAT(server_log().text_of(base::Message::none),
              HasSubstr(fmt::format("of a thread in G{}\n", GetParam())));
}

}  // namespace
}  // namespace pyhost::test
