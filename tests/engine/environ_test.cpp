// The environ dictionary.

#include <gmock/gmock.h>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using ::testing::HasSubstr;

constexpr char kEcho[] = R"(
import os
def application(environ, start_response):
    expression = environ['QUERY_STRING']
    start_response('200 OK', [])
    return [repr(eval(expression)).encode('ascii', 'backslashreplace')]
)";

std::string evaluate(std::string expression, FakeRequest request = {}) {
  request.environ.emplace_back("QUERY_STRING", std::move(expression));
  const Reply reply = run_source(kEcho, std::move(request));
  return reply.complete() ? reply.body() : reply.log();
}

TEST(Environ, HasWhatPep3333Requires) {
  EXPECT_EQ(evaluate("type(environ) is dict"), "True");
  EXPECT_EQ(evaluate("environ['REQUEST_METHOD'], environ['SERVER_PROTOCOL']"),
            "('GET', 'HTTP/1.1')");
  EXPECT_EQ(evaluate("environ['wsgi.version']"), "(1, 0)");
  EXPECT_EQ(evaluate("environ['wsgi.multithread'], environ['wsgi.multiprocess'], "
                     "environ['wsgi.run_once'], environ['wsgi.input_terminated']"),
            "(True, True, False, True)");
  EXPECT_EQ(evaluate("environ['wsgi.url_scheme']"), "'http'");
  EXPECT_EQ(evaluate("environ['wsgi.url_scheme']", {.https = true}), "'https'");
}

TEST(Environ, HasWhatModWsgiAdds) {
  EXPECT_EQ(evaluate("environ['apache.version'], environ['mod_wsgi.version']"),
            "((2, 4, 99), (6, 0, 5))");
  EXPECT_EQ(evaluate("environ['mod_wsgi.thread_id'] >= 1"), "True");
  EXPECT_EQ(evaluate("type(environ['mod_wsgi.request_start']) is float and "
                     "environ['mod_wsgi.application_start'] > 1e9"),
            "True");
}

TEST(Environ, DecodesAnyBytesAsLatin1) {
  std::string all;
  for (int byte = 1; byte < 256; ++byte) all += char(byte);
  EXPECT_EQ(evaluate("environ['PATH_INFO'].encode('latin-1') == environ['HTTP_X_ALL'].encode("
                     "'latin-1') == bytes(range(1, 256))",
                     {.environ = {{"PATH_INFO", all}, {"HTTP_X_ALL", all}}}),
            "True");
}

TEST(Environ, DecodesPathsAsTheFilesystemHasThem) {
  EXPECT_EQ(
      evaluate("os.fsencode(environ['SCRIPT_FILENAME']), os.fsencode(environ['DOCUMENT_ROOT'])",
               {.environ = {{"SCRIPT_FILENAME", "/x/\xc3\xa9"}, {"DOCUMENT_ROOT", "/\xff"}}}),
      "(b'/x/\\xc3\\xa9', b'/\\xff')");
}

TEST(Environ, IsPrivateToEachRequest) {
  const Script script(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    seen = environ.get('left.behind'), environ.get('HTTP_COOKIE'), environ['HTTP_HOST']
    environ['left.behind'] = environ['wsgi.version'] = 'x'
    environ['HTTP_HOST'] += '!'
    return [repr(seen).encode()]
)");
  EXPECT_EQ(run(script, {.environ = {{"HTTP_COOKIE", "a=1"}, {"HTTP_HOST", "h"}}}).body(),
            "(None, 'a=1', 'h')");
  EXPECT_EQ(run(script, {.environ = {{"HTTP_HOST", "h"}}}).body(), "(None, None, 'h')");
}

TEST(Environ, TakesTheLastEntryOfAName) {
  EXPECT_EQ(
      evaluate("environ['HTTP_X_A'], environ['REMOTE_USER']", {.environ = {{"HTTP_X_A", "1"},
                                                                           {"REMOTE_USER", "a"},
                                                                           {"HTTP_X_A", "2"},
                                                                           {"REMOTE_USER", "b"}}}),
      "('2', 'b')");
}

TEST(ModWsgiModule, TellsFrameworksWhereTheyAre) {
  EXPECT_EQ(evaluate("[__import__('mod_wsgi').version, __import__('mod_wsgi').process_group, "
                     "__import__('mod_wsgi').application_group, "
                     "__import__('mod_wsgi').maximum_processes, "
                     "__import__('mod_wsgi').threads_per_process]"),
            "[(6, 0, 5), '', '', 1, 1]");
  const Reply reply = run_source(
      kEcho, {.environ = {{"QUERY_STRING", "__import__('mod_wsgi').application_group"}}}, "shop");
  EXPECT_EQ(reply.body(), "'shop'");
}

TEST(Interpreter, IsIsolatedFromTheEnvironmentAndSpeaksUtf8) {
  EXPECT_EQ(evaluate("__import__('sys').flags.isolated, __import__('sys').flags.utf8_mode, "
                     "__import__('sys').getfilesystemencoding(), __import__('sys').argv"),
            "(1, 1, 'utf-8', ['mod_wsgi'])");
}

}  // namespace
}  // namespace pyhost::test
