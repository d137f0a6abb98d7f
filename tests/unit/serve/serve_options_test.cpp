#include "serve/serve_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "serve/option_rules.h"
#include "serve/options_file.h"

namespace pyhost::serve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::StartsWith;

std::string given(ServeOptions& options, const std::string& name, const std::string& text) {
  const auto outcome = assign(options, *find_option(name), text, {"--" + name, "/srv"});
  return outcome ? "accepted" : outcome.error().sentence;
}

std::string refusal(const std::string& name, const std::string& text) {
  ServeOptions options;
  return given(options, name, text);
}

TEST(ServeOption, HasANameOfItsOwnAndASentence) {
  std::set<std::string> names;
  for (const ServeOption& option : serve_options()) {
    EXPECT_TRUE(names.insert(std::string(option.name)).second) << option.name;
    for (const OtherName& other : option.other_names()) {
      EXPECT_TRUE(names.insert(other.name).second) << other.name;
    }
    EXPECT_FALSE(option.help.empty() || option.help.ends_with('.')) << option.name;
    EXPECT_EQ(option.metavar.empty(), option.kind == ValueKind::Flag) << option.name;
    EXPECT_FALSE(option.heading.empty()) << option.name;
  }
}

TEST(ServeOption, TakesValuesOfItsKind) {
  ServeOptions options;
  EXPECT_EQ(given(options, "port", "81"), "accepted");
  EXPECT_EQ(options.port, 81);
  EXPECT_EQ(given(options, "stop-timeout", "1500ms"), "accepted");
  EXPECT_EQ(options.stop_timeout.count(), 1500);
  EXPECT_EQ(given(options, "max-body", "10M"), "accepted");
  EXPECT_EQ(options.max_body, 10u << 20);
  EXPECT_EQ(given(options, "static", "/s=files/"), "accepted");
  EXPECT_THAT(options.statics, ElementsAre(Pair("/s", "/srv/files")));
  EXPECT_EQ(given(options, "env", "A=b=c"), "accepted");
  EXPECT_THAT(options.env, ElementsAre(Pair("A", "b=c")));
  EXPECT_EQ(given(options, "python-path", "a"), "accepted");
  EXPECT_EQ(given(options, "python-path", "/b/../c"), "accepted");
  EXPECT_THAT(options.python_path, ElementsAre("/srv/a", "/c"));
  EXPECT_EQ(given(options, "request-timeout", "30s"), "accepted");
  EXPECT_EQ(options.request_timeout, "30s");
}

TEST(ServeOption, RefusesOthersWithASentence) {
  for (const auto& [name, text, sentence] :
       std::vector<std::tuple<const char*, const char*, const char*>>{
           {"port", "99999", "--port 99999: a number from 0 to 65535 is needed"},
           {"port", "", "--port '': a number from 0 to 65535 is needed"},
           {"threads", "0", "--threads 0: a number from 1 to 1000 is needed"},
           {"stop-timeout", "2h", "--stop-timeout 2h: a time from 0 to 3600 s"},
           {"max-body", "many", "--max-body many: a size in bytes"},
           {"static", "/s=", "--static /s=: URL=DIR is needed"},
           {"env", "A", "--env A: NAME=VALUE is needed"},
           {"log-level", "loud", "--log-level loud: one of emerg alert"},
           {"request-timeout", "soon", "--request-timeout soon: a time such as 30, 30s or 500ms"},
           {"host", "a\nb", "--host a\nb: a text without control characters"}}) {
    EXPECT_THAT(refusal(name, text), StartsWith(sentence));
  }
}

TEST(ServeOption, SaysWhatItAcceptsAndWhatElseItIsCalled) {
  EXPECT_EQ(help_of(*find_option("port")),
            "Port to listen on; 0 takes any free one (0 to 65535; default: 8000)");
  EXPECT_THAT(help_of(*find_option("stop-timeout")),
              HasSubstr("(default: 8; also --graceful-timeout)"));
}

// --- Options together ----------------------------------------------------------------------------

std::string contradiction(const std::vector<std::pair<const char*, const char*>>& values) {
  ServeOptions options;
  for (const auto& [name, text] : values) EXPECT_EQ(given(options, name, text), "accepted");
  const auto outcome = check_options(options);
  return outcome ? "accepted" : outcome.error().sentence;
}

TEST(ServeOptions, MayContradictEachOther) {
  EXPECT_EQ(contradiction({}), "accepted");
  EXPECT_EQ(contradiction({{"embedded", "true"}, {"request-timeout", "5"}}),
            "--request-timeout is for worker processes, and --embedded has none");
  EXPECT_EQ(contradiction({{"bind", ":80"}, {"port", "80"}}),
            "--port and --bind exclude each other");
  EXPECT_EQ(contradiction({{"tls-key", "/etc/passwd"}}),
            "--tls-key has no effect without --tls-cert");
  EXPECT_EQ(contradiction({{"https-port", "8443"}}),
            "--https-port needs a certificate: --tls-cert, or --tls-self-signed");
  EXPECT_EQ(contradiction({{"tls-self-signed", "true"}, {"tls-cert", "/etc/passwd"}}),
            "--tls-self-signed and --tls-cert exclude each other");
  EXPECT_EQ(contradiction({{"header", "X-Thing"}}), "--header 'X-Thing': 'NAME: VALUE' is needed");
  EXPECT_EQ(contradiction({{"error-document", "200=/x"}}),
            "--error-document 200=/x: a status from 400 to 599 is needed");
  EXPECT_EQ(contradiction({{"trust-proxy-header", "X-Real-IP"}}),
            "--trust-proxy-header has no effect without --trust-proxy");
  EXPECT_EQ(contradiction({{"auth-file", "/nonexistent"}}),
            "--auth-file /nonexistent cannot be used: No such file or directory");
}

// --- pyhost.toml ---------------------------------------------------------------------------------

std::string file_refusal(const std::string& text) {
  const auto options = parse_options(text, "pyhost.toml", "/srv");
  return options ? "accepted" : options.error().sentence;
}

TEST(OptionsFile, HasTheNamesOfOptionsAsKeys) {
  const auto options = parse_options(
      "target = \"shop.wsgi:application\"\n"
      "port = 81\n"
      "reload = true\n"
      "request-timeout = \"30s\"\n"
      "python-path = [\"a\", \"b\"]\n"
      "static = {\"/s\" = \"files\"}\n"
      "[env]\n"
      "A = \"b\"\n"
      "N = 1\n",
      "pyhost.toml", "/srv");
  ASSERT_TRUE(options) << options.error().sentence;
  EXPECT_EQ(options->target, "shop.wsgi:application");
  EXPECT_EQ(options->port, 81);
  EXPECT_TRUE(options->reload);
  EXPECT_EQ(options->request_timeout, "30s");
  EXPECT_THAT(options->python_path, ElementsAre("/srv/a", "/srv/b"));
  EXPECT_THAT(options->statics, ElementsAre(Pair("/s", "/srv/files")));
  EXPECT_THAT(options->env, ElementsAre(Pair("A", "b"), Pair("N", "1")));
  EXPECT_EQ(options->named("port"), "pyhost.toml:2: port");
}

TEST(OptionsFile, SaysWhereAMistakeIs) {
  EXPECT_EQ(file_refusal("host = \"::1\"\nprot = 81\n"),
            "pyhost.toml:2: prot: there is no such option; did you mean port?");
  EXPECT_EQ(file_refusal("colour = 1\n"), "pyhost.toml:1: colour: there is no such option");
  EXPECT_EQ(file_refusal("port = 99999\n"),
            "pyhost.toml:1: port 99999: a number from 0 to 65535 is needed");
  EXPECT_EQ(file_refusal("port = [1]\n"),
            "pyhost.toml:1: port: a number from 0 to 65535 is needed");
  EXPECT_EQ(file_refusal("reload = 1\n"), "pyhost.toml:1: reload 1: true or false is needed");
  EXPECT_THAT(file_refusal("a = 1\nport = \n"), StartsWith("pyhost.toml:2: "));
}

TEST(OptionsFile, GivesWayToTheCommandLine) {
  auto file = parse_options("port = 81\nhost = \"::1\"\npython-path = [\"/a\"]\ntarget = \"a\"\n",
                            "pyhost.toml", "/srv");
  ASSERT_TRUE(file);
  ServeOptions options;
  options.target = "b";
  given(options, "port", "82");
  given(options, "python-path", "/b");
  add_defaults(options, *file);
  EXPECT_EQ(options.target, "b");
  EXPECT_EQ(options.port, 82);
  EXPECT_EQ(options.host, "::1");
  EXPECT_THAT(options.python_path, ElementsAre("/b"));
}

}  // namespace
}  // namespace pyhost::serve
