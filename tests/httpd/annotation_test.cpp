// What applications tell httpd: users, notes and variables for its log and its headers.

#include <gmock/gmock.h>

#include <fstream>
#include <string>

#include "harness/httpd.h"
#include "harness/wait.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;

constexpr char kApplication[] = R"(
import mod_wsgi

def application(environ, start_response):
    word = environ['PATH_INFO'][1:]
    body = b''
    if word == 'environ':
        environ['REMOTE_USER'] = 'erna'
    if word == 'all':
        mod_wsgi.set_user('alma')
        mod_wsgi.set_note('tenant', 'blue "sky"')
        mod_wsgi.set_variable('SEEN', 'yes')
        environ['REMOTE_USER'] = 'erna'
    if word == 'split':
        environ['REMOTE_USER'] = 'a\nb'
    if word == 'wrong':
        for call, arguments in ((mod_wsgi.set_user, ('a\nb',)), (mod_wsgi.set_user, ('',)),
                                (mod_wsgi.set_note, ('a b', 'c')), (mod_wsgi.set_note, ('a', 'c' * 5000)),
                                (mod_wsgi.set_variable, ('a', 7)), (mod_wsgi.set_note, ('a',))):
            try:
                call(*arguments)
            except (TypeError, ValueError) as error:
                body += f'{type(error).__name__}: {error}\n'.encode()
    if word == 'many':
        try:
            for number in range(100):
                mod_wsgi.set_note(f'n{number}', 'x')
        except ValueError as error:
            body = str(error).encode()
    start_response('200 OK', [('Content-Type', 'text/plain')])
    if word == 'late':
        return late()
    return [body or word.encode()]

def late():
    mod_wsgi.set_note('tenant', 'in time')
    yield b'x'
    try:
        mod_wsgi.set_note('tenant', 'late')
    except ValueError as error:
        yield str(error).encode()
)";

class Annotation : public ::testing::TestWithParam<Place> {
 protected:
  Annotation()
      : httpd_(
            "CustomLog ${ROOT}/access.log \"%U %u [%{tenant}n] [%{SEEN}e]\"\n"
            "Header set X-Seen \"%{SEEN}e\" env=SEEN\n"
            "<Directory ${ROOT}/apps2>\nRequire all granted\n</Directory>\n"
            "WSGIScriptAlias /app ${ROOT}/apps2/app.wsgi\n",
            {.files = {{"apps2/app.wsgi", kApplication}}, .place = GetParam()}) {}

  // The line of the access log that begins with the path.
  std::string logged(const std::string& path) const {
    std::string line;
    const auto is_there = [&] {
      std::ifstream log(httpd_.root() + "/access.log");
      while (std::getline(log, line)) {
        if (line.starts_with(path + ' ')) return true;
      }
      return false;
    };
    EXPECT_TRUE(wait_until(is_there)) << path;
    return line;
  }

  Httpd httpd_;
};

INSTANTIATE_TEST_SUITE_P(Places, Annotation, testing::Values(Place::embedded, Place::daemon),
                         [](const auto& info) {
                           return info.param == Place::embedded ? "Embedded" : "InAProcessGroup";
                         });

TEST_P(Annotation, OfTheUserReachesTheAccessLog) {
  EXPECT_EQ(httpd_.get("/app/environ").status, 200);
  EXPECT_EQ(logged("/app/environ"), "/app/environ erna [-] [-]");
}

TEST_P(Annotation, ReachesLogAndHeaders) {
  const Response reply = httpd_.get("/app/all");
  EXPECT_EQ(reply.header("X-Seen"), "yes");
  EXPECT_EQ(logged("/app/all"), "/app/all alma [blue \\\"sky\\\"] [yes]");
}

TEST_P(Annotation, OfARequestIsNotThatOfTheNext) {
  HttpClient client = httpd_.client();
  EXPECT_EQ(client.get("/app/all").status, 200);
  EXPECT_FALSE(client.get("/app/none").header("X-Seen"));
  EXPECT_EQ(logged("/app/none"), "/app/none - [-] [-]");
}

TEST_P(Annotation, ThatWouldSplitALineIsRefused) {
  EXPECT_EQ(httpd_.get("/app/split").status, 200);
  EXPECT_EQ(logged("/app/split"), "/app/split - [-] [-]");
  const std::string wrong = httpd_.get("/app/wrong").body;
  EXPECT_THAT(wrong, HasSubstr("ValueError: httpd does not take the value 'a\\x0ab'"));
  EXPECT_THAT(wrong, HasSubstr("ValueError: httpd does not take the name of a user that is empty"));
  EXPECT_THAT(wrong, HasSubstr("'a b' as the name"));
  EXPECT_THAT(wrong, HasSubstr("a value of 5000 bytes"));
  EXPECT_THAT(wrong, HasSubstr("TypeError: the value must be str or bytes, not int"));
  EXPECT_THAT(wrong, HasSubstr("takes a name and a value"));
}

TEST_P(Annotation, IsOneOfABoundedNumber) {
  EXPECT_THAT(httpd_.get("/app/many").body, HasSubstr("more than 64"));
}

TEST_P(Annotation, BehindTheHeadIsTooLate) {
  EXPECT_EQ(httpd_.get("/app/late").body, "xthe head of the reply has been sent already");
  EXPECT_EQ(logged("/app/late"), "/app/late - [in time] [-]");
}

}  // namespace
}  // namespace pyhost::test
