// wsgi.file_wrapper: what httpd sends itself, and what only read() can tell.

#include <gmock/gmock.h>

#include <array>

#include "engine/engine_fixture.h"

namespace pyhost::test {
namespace {

using ::testing::HasSubstr;

TEST(FileWrapper, LetsHttpdSendARegularFile) {
  const Script script(R"(
import os
def application(environ, start_response):
    path = os.path.join(os.path.dirname(__file__), 'data')
    with open(path, 'wb') as file:
        file.write(b'0123456789')
    file = open(path, 'rb')
    file.read(2)
    length = environ.get('QUERY_STRING')
    start_response('200 OK', [('Content-Length', length)] if length else [])
    return environ['wsgi.file_wrapper'](file)
)");
  const Reply whole = run(script);
  EXPECT_TRUE(whole.complete());
  EXPECT_EQ(whole.exchange->parts().at(0).file, "23456789");
  EXPECT_EQ(whole.exchange->content_length(), 8u);

  const Reply cut = run(script, {.environ = {{"QUERY_STRING", "3"}}});
  EXPECT_EQ(cut.body(), "234");

  const Reply clamped = run(script, {.environ = {{"QUERY_STRING", "100"}}});
  EXPECT_TRUE(clamped.complete());
  EXPECT_EQ(clamped.exchange->content_length(), 8u);
  EXPECT_EQ(clamped.body(), "23456789");
}

TEST(FileWrapper, IteratesOverAnythingElse) {
  const Reply reply = run_source(R"(
import io
class Closing(io.BytesIO):
    def close(self):
        print('closed')
def application(environ, start_response):
    start_response('200 OK', [])
    return environ['wsgi.file_wrapper'](Closing(b'0123456789'), 4)
)");
  EXPECT_EQ(reply.body(), "0123456789");
  EXPECT_EQ(reply.exchange->parts().at(0).bytes(), "0123");
  EXPECT_THAT(reply.log(), HasSubstr("closed"));
}

TEST(FileWrapper, IsATypeLikeOthers) {
  const Reply reply = run_source(R"(
import io, mod_wsgi
def application(environ, start_response):
    wrapper = environ['wsgi.file_wrapper']
    assert wrapper is mod_wsgi.FileWrapper
    class Mine(wrapper):
        pass
    source = io.BytesIO(b'abc')
    mine = Mine(source, blksize=2)
    assert mine.filelike is source and mine.blksize == 2
    assert list(mine) == [b'ab', b'c']
    mine.close(); mine.close()
    assert source.closed
    for bad in (lambda: next(mine), lambda: wrapper(source, -1)):
        try:
            bad()
        except ValueError:
            pass
        else:
            raise AssertionError
    start_response('200 OK', [])
    return []
)");
  EXPECT_TRUE(reply.complete()) << reply.log();
}

struct Opened {
  const char* name;
  const char* expression;  // of a file object; `path` is a file with 40 bytes of TEXT
};

// Runs an application that returns what the expression opens.
Reply run_opened(const Opened& opened) {
  return run_source(std::string(R"(
import bz2, gzip, io, lzma, mmap, os, sys, tempfile, zipfile
TEXT = b'0123456789' * 4
def compress(opener, path):
    with opener(path, 'wb') as file:
        file.write(TEXT)
    return opener(path)
class Passing:
    """Passes everything on to a file, as Django's File does."""
    def __init__(self, file):
        self.file = file
    def __getattr__(self, name):
        return getattr(self.file, name)
class Upper(Passing):
    def read(self, size=-1):
        return self.file.read(size).replace(b'0', b'!')
class UpperRaw(io.FileIO):
    def readinto(self, buffer):
        count = super().readinto(buffer)
        buffer[:count] = bytes(buffer[:count]).replace(b'0', b'!')
        return count
class UpperReader(io.BufferedReader):
    def read(self, size=-1):
        return super().read(size).replace(b'0', b'!')
class LyingReader(io.BufferedReader):
    def tell(self):
        return 7
    def fileno(self):
        return 0
def written(file):
    file.write(TEXT)
    file.seek(0)
    return file
def rewritten(path):
    file = open(path, 'r+b')
    file.write(b'!')
    file.seek(0)
    return file
def member(path):
    with zipfile.ZipFile(path + '.zip', 'w') as archive:
        archive.writestr('data', TEXT)
    return zipfile.ZipFile(path + '.zip').open('data')
def own_read(path):
    file = open(path, 'rb')
    data = file.read()
    file.seek(0)
    file.read = lambda size, rest=[data]: rest.pop() if rest else b''
    return file
def half_read(path):
    file = open(path, 'rb')
    file.read(10)
    return file
def application(environ, start_response):
    path = os.path.join(os.path.dirname(__file__), 'data')
    with open(path, 'wb') as file:
        file.write(TEXT)
    start_response('200 OK', [])
    return environ['wsgi.file_wrapper']()") +
                    opened.expression + ")\n");
}

class RealFile : public ::testing::TestWithParam<Opened> {};

TEST_P(RealFile, IsSentByHttpd) {
  const Reply reply = run_opened(GetParam());
  ASSERT_TRUE(reply.complete()) << reply.log();
  EXPECT_EQ(reply.body().substr(0, 10), "0123456789");
  EXPECT_TRUE(reply.exchange->parts().at(0).file.has_value());
}

INSTANTIATE_TEST_SUITE_P(
    Opened, RealFile,
    ::testing::Values(Opened{"Buffered", "open(path, 'rb')"},
                      Opened{"Unbuffered", "open(path, 'rb', 0)"},
                      Opened{"ForUpdate", "open(path, 'r+b')"},
                      Opened{"HalfRead", "half_read(path)"}, Opened{"AsText", "open(path)"},
                      Opened{"PassedOn", "Passing(Passing(open(path, 'rb')))"},
                      Opened{"Derived", "LyingReader(io.FileIO(path))"},
                      Opened{"Temporary", "written(tempfile.TemporaryFile())"},
                      Opened{"NamedTemporary", "written(tempfile.NamedTemporaryFile())"},
                      Opened{"SpooledToDisk", "written(tempfile.SpooledTemporaryFile(10))"}),
    [](const auto& info) { return info.param.name; });

class OtherFile : public ::testing::TestWithParam<Opened> {};

TEST_P(OtherFile, IsRead) {
  const Reply reply = run_opened(GetParam());
  ASSERT_TRUE(reply.complete()) << reply.log();
  std::string body;
  for (const SentPart& part : reply.exchange->parts()) {
    EXPECT_FALSE(part.file);
    body += part.bytes();
  }
  std::string expected;
  for (int i = 0; i < 4; ++i) expected += "0123456789";
  if (std::string_view(GetParam().name).starts_with("Changed")) {
    for (std::size_t i = 0; i < expected.size(); i += 10) expected[i] = '!';
  }
  EXPECT_EQ(body, expected);
}

INSTANTIATE_TEST_SUITE_P(
    Opened, OtherFile,
    ::testing::Values(Opened{"Gzip", "compress(gzip.open, path)"},
                      Opened{"Bzip2", "compress(bz2.open, path)"},
                      Opened{"Lzma", "compress(lzma.open, path)"},
                      Opened{"GzipPassedOn", "Passing(compress(gzip.open, path))"},
                      Opened{"Member", "member(path)"},
                      Opened{"SpooledInMemory", "written(tempfile.SpooledTemporaryFile(100))"},
                      Opened{"Mapped", "mmap.mmap(os.open(path, os.O_RDONLY), 0, prot=1)"},
                      Opened{"OwnRead", "own_read(path)"},
                      Opened{"ChangedByAWrapper", "Upper(open(path, 'rb'))"},
                      Opened{"ChangedByItsSource", "io.BufferedReader(UpperRaw(path))"},
                      Opened{"ChangedByItsClass", "UpperReader(io.FileIO(path))"}),
    [](const auto& info) { return info.param.name; });

// Its blocks would have been made from the buffer, too.
TEST(FileWrapper, WritesWhatIsStillBuffered) {
  const Reply reply = run_opened({"", "rewritten(path)"});
  EXPECT_EQ(reply.body(), "!123456789012345678901234567890123456789");
}

TEST(FileWrapper, ThatMakesOtherBlocksIsIteratedOver) {
  for (const char* method : {"__next__(self): return super().__next__().upper()",
                             "__iter__(self): return iter([self.filelike.read().upper()])"}) {
    const Reply reply = run_source(std::string(R"(
import mod_wsgi
class Upper(mod_wsgi.FileWrapper):
    def )") + method + R"(
def application(environ, start_response):
    path = __file__ + '.txt'
    with open(path, 'wb') as file:
        file.write(b'text')
    start_response('200 OK', [])
    return Upper(open(path, 'rb'))
)");
    EXPECT_EQ(reply.body(), "TEXT") << method;
  }
}

}  // namespace
}  // namespace pyhost::test
