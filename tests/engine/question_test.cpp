// What hook scripts are asked, and what of their answers is one.

#include <gmock/gmock.h>

#include "engine/engine_fixture.h"
#include "pyhost/gateway/question.h"

namespace pyhost::test {
namespace {

using base::Message;
using gateway::Annotation;
using gateway::Answer;
using gateway::AskResult;
using gateway::EnvironEntry;
using gateway::EnvironKey;
using gateway::Question;
using gateway::QuestionKind;
using Kind = gateway::Answer::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Optional;

// One question and its answer, with what was logged.
struct Asked {
  AskResult result;
  std::string log;

  Kind kind() const { return result ? result->kind : Kind(-1); }
  std::string text() const { return result ? result->text : ""; }
};

class RecordingCaller final : public gateway::Caller {
 public:
  bool wants(base::LogLevel) const noexcept override { return true; }
  void log(base::LogLevel level, Message message, std::string_view text) noexcept override {
    recorder.log(level, message, text);
    ids += base::id_of(message);
    ids += ' ';
  }

  LogRecorder recorder;
  std::string ids;
};

Asked ask(const Script& script, Question question, std::string_view function = "") {
  static const EnvironEntry kEntries[] = {{EnvironKey::request_method, {}, "GET"},
                                          {EnvironKey::other, "HTTP_X", "\xe9"}};
  question.head.environ = kEntries;
  RecordingCaller caller;
  AskResult result =
      engine().ask({.script = script.path(), .callable = function}, question, caller);
  return {std::move(result), caller.ids + caller.recorder.text()};
}

Asked ask(std::string_view source, QuestionKind kind, std::string_view function = "") {
  const Script script(source);
  return ask(script, {.kind = kind, .subject = "anna", .secret = "pa55"}, function);
}

// The script's one function of that kind returns the expression.
Asked answer(QuestionKind kind, const std::string& expression) {
  return ask("import mod_wsgi\ndef " + std::string(function_of(kind)) +
                 "(*arguments):\n    return " + expression + "\n",
             kind);
}

TEST(Question, IsPutWithEnvironAndArguments) {
  const Asked asked = ask(R"(
def check_password(environ, user, password):
    assert type(environ) is dict and environ['REQUEST_METHOD'] == 'GET'
    assert environ['HTTP_X'] == '\xe9'
    assert 'wsgi.input' not in environ
    print('to stderr', file=environ['wsgi.errors'])
    print('printed')
    return user == 'anna' and password == 'pa55'
)",
                          QuestionKind::password);
  EXPECT_EQ(asked.kind(), Kind::yes) << asked.log;
  EXPECT_THAT(asked.log, HasSubstr("to stderr"));
  EXPECT_THAT(asked.log, HasSubstr("printed"));
}

TEST(Question, TakesCredentialsInAnyBytes) {
  const Script script("def check_password(environ, user, password):\n    return user + password\n");
  const auto text = [&](std::string_view user, std::string_view password) {
    return ask(script, {.kind = QuestionKind::password, .subject = user, .secret = password})
        .text();
  };
  EXPECT_EQ(text("\xc3\xa4", "\xe2\x82\xac"), "\xc3\xa4\xe2\x82\xac");
  EXPECT_EQ(text("\xe4", "x"), "\xc3\xa4x");
  EXPECT_EQ(text("\xff\xfe", "\xc3"), "\xc3\xbf\xc3\xbe\xc3\x83");
}

TEST(Question, KnowsTrueFalseAndNoneByTheirIdentity) {
  for (const QuestionKind kind : {QuestionKind::access, QuestionKind::password}) {
    EXPECT_EQ(answer(kind, "True").kind(), Kind::yes);
    EXPECT_EQ(answer(kind, "False").kind(), Kind::no);
    EXPECT_EQ(answer(kind, "None").kind(), Kind::none);
    for (const char* other : {"1", "0", "[]", "b'x'", "object()"}) {
      const Asked asked = answer(kind, other);
      EXPECT_FALSE(asked.result) << other;
      EXPECT_EQ(asked.result.error().status, 500);
    }
  }
  EXPECT_THAT(answer(QuestionKind::access, "1").log, HasSubstr("PH0055"));
  EXPECT_THAT(answer(QuestionKind::access, "'yes'").log, HasSubstr("returned a str, not True"));
  EXPECT_THAT(answer(QuestionKind::password, "1").log, HasSubstr("PH0177"));
}

TEST(Question, MayHaveATextAsAnswer) {
  EXPECT_EQ(answer(QuestionKind::password, "'\xc3\xa4'").text(), "\xc3\xa4");
  EXPECT_THAT(answer(QuestionKind::password, "''").log, HasSubstr("PH0176"));
  EXPECT_THAT(answer(QuestionKind::password, "'a\\nb'").log, HasSubstr("PH0177"));
  EXPECT_THAT(answer(QuestionKind::password, "'\\udcff'").log, HasSubstr("PH0177"));
  EXPECT_EQ(answer(QuestionKind::realm_hash, "'abc'").text(), "abc");
  EXPECT_EQ(answer(QuestionKind::realm_hash, "b'abc'").text(), "abc");
  EXPECT_EQ(answer(QuestionKind::realm_hash, "None").kind(), Kind::none);
  EXPECT_THAT(answer(QuestionKind::realm_hash, "''").log, HasSubstr("PH0178"));
  EXPECT_THAT(answer(QuestionKind::realm_hash, "True").log, HasSubstr("PH0179"));
}

TEST(Question, ForGroupsTakesAnyIterable) {
  const Asked asked = answer(QuestionKind::groups, "(g for g in ['a', b'\\xff'])");
  ASSERT_TRUE(asked.result) << asked.log;
  EXPECT_THAT(asked.result->items,
              ElementsAre(Optional(std::string("a")), Optional(std::string("\xff"))));
  EXPECT_TRUE(answer(QuestionKind::groups, "[]").result);
  for (const char* wrong : {"'staff'", "b'staff'", "None", "[1]", "7", "(1 / 0 for _ in [1])",
                            "('x' for _ in iter(int, 1))"}) {
    EXPECT_THAT(answer(QuestionKind::groups, wrong).log, HasSubstr("PH0052")) << wrong;
  }
}

TEST(Question, ForAUserHasSeveralAnswers) {
  const Asked user =
      answer(QuestionKind::authn, "mod_wsgi.User('anna', env={'A': 'b'}, notes=[('n', b'x')])");
  ASSERT_TRUE(user.result) << user.log;
  EXPECT_EQ(user.result->kind, Kind::user);
  EXPECT_EQ(user.result->text, "anna");
  EXPECT_THAT(user.result->annotations,
              ElementsAre(Annotation{Annotation::Kind::variable, "A", "b"},
                          Annotation{Annotation::Kind::note, "n", "x"}));
  EXPECT_EQ(answer(QuestionKind::authn, "'bob'").text(), "bob");
  EXPECT_EQ(answer(QuestionKind::authn, "None").kind(), Kind::none);

  const Asked reply = answer(QuestionKind::authn, "mod_wsgi.Deny(401, 'n\xc3\xb6', {'X-A': 'b'})");
  ASSERT_TRUE(reply.result) << reply.log;
  EXPECT_EQ(reply.result->status, 401);
  EXPECT_EQ(reply.result->body, "n\xc3\xb6");
  EXPECT_EQ(reply.result->headers.size(), 2u);  // and a Content-Type
  EXPECT_EQ(answer(QuestionKind::authn, "mod_wsgi.Redirect('/login', 303)").result->status, 303);

  for (const char* wrong :
       {"True", "b'bob'", "mod_wsgi.User(7)", "mod_wsgi.User('')", "mod_wsgi.Deny('403')",
        "mod_wsgi.Deny(True)", "mod_wsgi.Deny(403, 7)", "mod_wsgi.Deny(403, 'x', [('a',)])",
        "mod_wsgi.Deny(403, 'x' * 9000)", "mod_wsgi.User('a', env={'A B': 'c'})",
        "mod_wsgi.Redirect('/\\r\\nX: y')", "mod_wsgi.Deny(10**30)"}) {
    const Asked asked = answer(QuestionKind::authn, wrong);
    EXPECT_FALSE(asked.result) << wrong;
    EXPECT_THAT(asked.log, HasSubstr("PH0502")) << wrong;
  }
}

TEST(Question, OfDispatchAsksTheFunctionsThatThereAre) {
  const Asked asked = ask(R"(
def process_group(environ):
    return 'shop'
def callable_object(environ):
    return b'app'
)",
                          QuestionKind::dispatch);
  ASSERT_TRUE(asked.result) << asked.log;
  EXPECT_THAT(asked.result->items, ElementsAre(Optional(std::string("shop")), std::nullopt,
                                               Optional(std::string("app"))));
  EXPECT_FALSE(ask("def process_group(environ):\n    return 7\n", QuestionKind::dispatch).result);
  EXPECT_FALSE(
      ask("def process_group(environ):\n    return '\\u20ac'\n", QuestionKind::dispatch).result);
}

TEST(Question, ForAFunctionThatIsMissingHasNoAnswer) {
  EXPECT_THAT(ask("x = 1\n", QuestionKind::password).log, HasSubstr("PH0043"));
  EXPECT_THAT(ask("x = 1\n", QuestionKind::realm_hash).log, HasSubstr("PH0046"));
  EXPECT_THAT(ask("x = 1\n", QuestionKind::groups).log, HasSubstr("PH0049"));
  EXPECT_THAT(ask("allow_access = 7\n", QuestionKind::access).log, HasSubstr("PH0501"));
  const Asked named =
      ask("def other(environ, host):\n    return True\n", QuestionKind::access, "other");
  EXPECT_EQ(named.kind(), Kind::yes);
}

TEST(Question, ThatRaisesHasNoAnswerAndNoPasswordInItsTraceback) {
  const Asked raised =
      ask("def check_password(environ, user, password):\n    return {}[user + 'x']\n",
          QuestionKind::password);
  ASSERT_FALSE(raised.result);
  EXPECT_EQ(raised.result.error().status, 500);
  EXPECT_THAT(raised.log, HasSubstr("PH0174"));
  EXPECT_THAT(raised.log, HasSubstr("KeyError"));
  EXPECT_THAT(raised.log, Not(HasSubstr("pa55")));
  EXPECT_THAT(
      ask("import sys\ndef allow_access(e, h):\n    sys.exit(0)\n", QuestionKind::access).log,
      HasSubstr("PH0175"));
}

TEST(Question, ToAScriptThatCannotBeImportedHasNoAnswer) {
  const Script script("raise RuntimeError('at import')\n");
  for (int i = 0; i < 2; ++i) {
    const Asked asked = ask(script, {.kind = QuestionKind::access});
    ASSERT_FALSE(asked.result);
    EXPECT_EQ(asked.result.error().status, 500);
    EXPECT_TRUE(asked.result.error().import_failed);
  }
}

TEST(Question, AsksTheScriptAsItIsNow) {
  Script script("def allow_access(environ, host):\n    return True\n");
  EXPECT_EQ(ask(script, {.kind = QuestionKind::access}).kind(), Kind::yes);
  script.rewrite("def allow_access(environ, host):\n    return False\n");
  EXPECT_EQ(ask(script, {.kind = QuestionKind::access}).kind(), Kind::no);
}

TEST(Question, HasNoApplicationToTellHttpdOf) {
  const Asked asked = ask(R"(
import mod_wsgi
def allow_access(environ, host):
    mod_wsgi.set_note('a', 'b')
)",
                          QuestionKind::access);
  EXPECT_THAT(asked.log, HasSubstr("no application serves a request in this context"));
}

}  // namespace
}  // namespace pyhost::test
