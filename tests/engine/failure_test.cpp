// Exceptions of applications, and what is logged.

#include <gmock/gmock.h>

#include <algorithm>
#include <thread>

#include "engine/engine_fixture.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using base::Message;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(Failure, BeforeTheHeadIsRefusedWithOneRecord) {
  const Reply reply = run_source(R"(
def inner():
    raise KeyError('deep')
def application(environ, start_response):
    start_response('200 OK', [])
    try:
        inner()
    except KeyError as cause:
        raise ValueError('boom') from cause
)");
  EXPECT_EQ(reply.refused(), 500);
  const auto records = reply.exchange->recorder().records();
  EXPECT_EQ(std::ranges::count(records, Message::application_raised, &LogRecord::message), 1);
  EXPECT_THAT(reply.exchange->recorder().text_of(Message::application_raised),
              AllOf(HasSubstr("raised ValueError: boom (in the main interpreter)\nTraceback"),
                    HasSubstr("in inner\n    raise KeyError('deep')\nKeyError: 'deep'"),
                    HasSubstr("direct cause"), HasSubstr("in application\n    raise ValueError")));
}

TEST(Failure, AfterTheFirstByteBreaksTheReply) {
  const Reply reply = run_source(R"(
def application(environ, start_response):
    start_response('200 OK', [])
    yield b'one'
    raise ValueError('late')
)");
  EXPECT_TRUE(reply.broken());
  EXPECT_EQ(reply.body(), "one");
  EXPECT_FALSE(reply.exchange->ended());
  EXPECT_THAT(reply.log(), HasSubstr("ValueError: late"));
}

TEST(Failure, BySysExitLeavesTheProcessRunning) {
  const Reply reply = run_source("import sys\ndef application(e, s):\n    sys.exit('bye')\n");
  EXPECT_EQ(reply.refused(), 500);
  EXPECT_THAT(reply.exchange->recorder().text_of(Message::application_exited),
              HasSubstr("SystemExit: bye"));
}

TEST(Failure, OfAnExceptionThatCannotBePrintedIsStillReported) {
  const Reply reply = run_source(R"(
class Nasty(Exception):
    def __str__(self):
        raise RuntimeError('no')
def application(environ, start_response):
    raise Nasty
)");
  EXPECT_EQ(reply.refused(), 500);
  EXPECT_THAT(reply.log(), HasSubstr("Nasty"));
}

TEST(Failure, WithLoneSurrogatesIsReported) {
  const Reply reply = run_source("def application(e, s):\n    raise ValueError('\\udc80')\n");
  EXPECT_THAT(reply.log(), HasSubstr("ValueError: \\udc80"));
}

TEST(Failure, OfAModuleThatDislikesSubInterpretersNamesTheCure) {
  constexpr char kSource[] = R"(
def application(environ, start_response):
    raise ImportError('Interpreter change detected - this module can only be loaded into one '
                      'interpreter per process.')
)";
  const Reply sub = run_source(kSource, {}, "sub");
  EXPECT_THAT(sub.exchange->recorder().text_of(Message::subinterpreter_import),
              HasSubstr("set WSGIApplicationGroup %{GLOBAL}"));
  const Reply main = run_source(kSource);
  EXPECT_EQ(main.exchange->recorder().text_of(Message::subinterpreter_import), "");

  const Script importing(
      "raise ImportError('module x does not support loading in "
      "subinterpreters')\n");
  EXPECT_THAT(
      run(importing, {}, "sub").exchange->recorder().text_of(Message::subinterpreter_import),
      HasSubstr("set WSGIApplicationGroup %{GLOBAL}"));
}

TEST(Log, OfARequestGetsEveryStreamLineByLine) {
  const Reply reply = run_source(R"(
import sys
def application(environ, start_response):
    print('out')
    print('err', file=sys.stderr)
    errors = environ['wsgi.errors']
    errors.write('one\ntwo\nthr')
    errors.write('ee\n\nlast')
    errors.writelines(['a', 'b'])
    start_response('200 OK', [])
    return []
)");
  std::vector<std::string> lines;
  for (const LogRecord& record : reply.exchange->recorder().records()) {
    if (record.message == Message::none) lines.push_back(record.text);
  }
  EXPECT_EQ(lines, (std::vector<std::string>{"out", "err", "one", "two", "three", "lastab"}));
}

TEST(Log, OfOneRequestKeepsNothingForTheNextOnTheThread) {
  const Script script(R"(
import sys
def application(environ, start_response):
    sys.stderr.write(environ['QUERY_STRING'])
    start_response('200 OK', [])
    return []
)");
  EXPECT_EQ(run(script, {.environ = {{"QUERY_STRING", "partial"}}}).log(), "partial\n");
  EXPECT_EQ(run(script, {.environ = {{"QUERY_STRING", "next"}}}).log(), "next\n");
}

TEST(Log, OfThreadsOutsideARequestIsTheServers) {
  const Reply reply = run_source(R"(
import sys, threading
def work():
    print('from a thread')
    sys.stderr.write('without an end')
def application(environ, start_response):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    start_response('200 OK', [])
    return []
)");
  EXPECT_EQ(reply.log(), "");
  EXPECT_THAT(server_log().text_of(Message::none), HasSubstr("from a thread\n"));
  // The thread of the system ends behind the one that Python joins.
  EXPECT_TRUE(wait_until([] {
    return server_log().text_of(Message::none).find("without an end\n") != std::string::npos;
  }));
}

TEST(Log, OfAThreadInACopyOfARequestsContextIsTheRequests) {
  const Reply reply = run_source(R"(
import contextvars, sys, threading
def application(environ, start_response):
    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(print, 'from its own thread'))
    thread.start()
    thread.join()
    start_response('200 OK', [])
    return []
)");
  EXPECT_EQ(reply.log(), "from its own thread\n");
}

TEST(Log, OfAContextWhoseRequestIsOverIsTheServers) {
  const Script script(R"(
import contextvars
contexts = []
def application(environ, start_response):
    for context in contexts:
        context.run(print, 'left over')
    contexts.append(contextvars.copy_context())
    start_response('200 OK', [])
    return []
)");
  EXPECT_EQ(run(script).log(), "");
  EXPECT_EQ(run(script).log(), "");
  EXPECT_THAT(server_log().text_of(Message::none), HasSubstr("left over\n"));
}

TEST(Log, OfARequestDoesNotHeedWhatElseIsInItsPlace) {
  EXPECT_EQ(run_source(R"(
import contextvars
def application(environ, start_response):
    for variable in contextvars.copy_context():
        variable.set('no log')
    print('misplaced')
    start_response('200 OK', [])
    return []
)")
                .log(),
            "");
  EXPECT_THAT(server_log().text_of(Message::none), HasSubstr("misplaced\n"));
}

TEST(Log, OfAnImportIsTheRequests) {
  EXPECT_EQ(run_source(R"(
print('importing')
def application(environ, start_response):
    start_response('200 OK', [])
    return []
)")
                .log(),
            "importing\n");
}

TEST(Log, TakesWhatAThreadsObjectsPrintAtItsEnd) {
  const Script script(R"(
import threading
local = threading.local()
class Farewell:
    def __del__(self):
        print('farewell of a thread')
def application(environ, start_response):
    local.object = Farewell()
    start_response('200 OK', [])
    return []
)");
  // A thread of httpd that ends.
  std::thread([&] { run(script, {}, "ending threads"); }).join();
  EXPECT_THAT(server_log().text_of(Message::none), HasSubstr("farewell of a thread\n"));
}

TEST(Log, StreamsBehaveLikeFiles) {
  const Reply reply = run_source(R"(
import io, sys, logging
def application(environ, start_response):
    for stream, name in ((environ['wsgi.errors'], '<wsgi.errors>'), (sys.stderr, '<stderr>'),
                         (sys.stdout, '<stdout>')):
        assert stream.name == name and stream.mode == 'w'
        assert stream.encoding == 'utf-8' and not stream.closed
        assert not stream.isatty() and stream.writable()
        assert not stream.readable() and not stream.seekable()
        assert type(stream) is io.TextIOWrapper and isinstance(stream.buffer, io.RawIOBase)
        assert stream.line_buffering and stream.write_through
        assert stream.write('\u20ac\n') == 2
        assert stream.buffer.write(b'bytes\n') == 6
        stream.reconfigure(line_buffering=True)
        assert stream.write_through
        stream.close()
        stream.write('still open\n')
        with stream as entered:
            assert entered is stream
        for bad in (lambda: stream.write(b'x'), lambda: stream.buffer.write('x')):
            try:
                bad()
            except TypeError:
                pass
            else:
                raise AssertionError
        try:
            stream.fileno()
        except io.UnsupportedOperation as error:
            assert 'descriptor 2 is a log of the process' in str(error)
        else:
            raise AssertionError
        print('\udc80', file=stream)
    logging.getLogger('shop').warning('logged')
    start_response('200 OK', [])
    return []
)");
  EXPECT_TRUE(reply.complete()) << reply.log();
  EXPECT_THAT(reply.log(), AllOf(HasSubstr("\xe2\x82\xac\n"), HasSubstr("\\udc80\n"),
                                 HasSubstr("bytes\n"), HasSubstr("logged\n")));
}

// A stream that nobody has touched is used again.
TEST(Log, StreamOfARequestIsNotThatOfAnother) {
  const Script script(R"(
import weakref
kept = []
def application(environ, start_response):
    errors, what = environ['wsgi.errors'], environ['QUERY_STRING']
    assert not hasattr(errors, 'note') and errors.encoding == 'utf-8'
    if what == 'mark':
        errors.note = 1
    elif what == 'detach':
        errors.detach()
    elif what == 'reconfigure':
        errors.reconfigure(encoding='latin-1')
    elif what == 'keep':
        kept.append(errors)
    elif what == 'keep the buffer':
        kept.append(errors.buffer)
    elif what == 'write':
        errors.write('written\n')
    start_response('200 OK', [])
    return [what.encode()]
)");
  for (const char* what : {"", "mark", "", "detach", "", "reconfigure", "", "keep",
                           "keep the buffer", "", "write", "write", ""}) {
    const Reply reply = run(script, {.environ = {{"QUERY_STRING", what}}});
    EXPECT_EQ(reply.body(), what) << reply.log();
    EXPECT_EQ(reply.log().find("written") != std::string::npos, what == std::string("write"));
  }
}

TEST(Log, KeepsAnEndlessLineInBounds) {
  const Reply reply = run_source(R"(
import sys
def application(environ, start_response):
    for _ in range(200):
        sys.stderr.write('x' * 1000)
    start_response('200 OK', [])
    return []
)");
  std::size_t total = 0;
  for (const LogRecord& record : reply.exchange->recorder().records()) {
    if (record.message == Message::none) total += record.text.size();
    EXPECT_LT(record.text.size(), 70'000u);
  }
  EXPECT_EQ(total, 200'000u);
}

}  // namespace
}  // namespace pyhost::test
