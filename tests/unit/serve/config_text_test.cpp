#include "serve/config_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pyhost::serve {
namespace {

using testing::HasSubstr;
using testing::Not;

ServerSettings settings() {
  return {.server_root = "/run/site",
          .host = "127.0.0.1",
          .port = 8000,
          .threads = 10,
          .application_group = "%{GLOBAL}",
          .module_file = "/opt/mod_pyhost.so",
          .modules_dir = "/modules",
          .modules = {"mod_alias.so", "mod_authz_core.so", "mod_dir.so", "mod_mime.so",
                      "mod_mpm_event.so", "mod_reqtimeout.so", "mod_rewrite.so"},
          .mime_types_file = "/etc/mime.types"};
}

Site script(const std::string& path) {
  return {.form = TargetForm::script, .path = path, .callable = "application", .mount = "/"};
}

TEST(ConfigWord, EscapesQuotesAndBackslashes) {
  EXPECT_EQ(config_word("/srv/plain"), R"("/srv/plain")");
  EXPECT_EQ(config_word(R"(/srv/a "b" c\d)"), R"("/srv/a \"b\" c\\d")");
}

TEST(ConfigWord, KeepsHttpdFromExpandingVariables) {
  EXPECT_EQ(config_word("/srv/${HOME}/$x/%{y}"), R"("/srv/${DOLLAR}{HOME}/$x/%{y}")");
}

TEST(PatternWord, MeansWildcardCharactersLiterally) {
  EXPECT_EQ(pattern_word("/srv/a*b?c[d]"), R"("/srv/a[*]b[?]c[[]d]")");
  EXPECT_EQ(pattern_word(R"(/srv/a\b)"), R"("/srv/a\\b")");
}

TEST(Config, ServesAScript) {
  EXPECT_THAT(render_config(script("/srv/app/hello.wsgi"), settings()),
              HasSubstr("WSGIScriptAlias \"/\" \"/srv/app/hello.wsgi\" process-group=%{GLOBAL} "
                        "application-group=%{GLOBAL}\n"
                        "<Directory \"/srv/app\">\n"
                        "  <Files \"hello.wsgi\">\n"
                        "    Require all granted\n"
                        "  </Files>\n"
                        "</Directory>\n"));
}

TEST(Config, NamesACallableThatIsNotTheUsualOne) {
  Site site = script("/srv/hello.wsgi");
  EXPECT_THAT(render_config(site, settings()), Not(HasSubstr("callable-object=")));
  site.callable = "app";
  EXPECT_THAT(render_config(site, settings()), HasSubstr(" callable-object=\"app\"\n"));
}

TEST(Config, ServesAModule) {
  const Site site{.form = TargetForm::module,
                  .module = "shop.web",
                  .callable = "app",
                  .mount = "/shop",
                  .python_path = {"/srv/a", "/srv/b"},
                  .python_home = "/srv/venv"};
  const std::string config = render_config(site, settings());
  EXPECT_THAT(config, HasSubstr("WSGIScriptAlias \"/shop\" \"shop.web:app\" "));
  EXPECT_THAT(config, HasSubstr("WSGIPythonPath \"/srv/a:/srv/b\"\n"));
  EXPECT_THAT(config, HasSubstr("WSGIPythonHome \"/srv/venv\"\n"));
  EXPECT_THAT(config, Not(HasSubstr("<Files")));
}

TEST(Config, ServesAFolderWithoutPython) {
  const Site site{.form = TargetForm::folder, .path = "/srv/www", .mount = "/"};
  const std::string config = render_config(site, settings());
  EXPECT_THAT(config, HasSubstr("DocumentRoot \"/srv/www\"\n"));
  EXPECT_THAT(config, Not(HasSubstr("wsgi_module")));
  EXPECT_THAT(config, Not(HasSubstr("WSGI")));
}

TEST(Config, FindsAUrlByARegularExpressionAsItIs) {
  EXPECT_EQ(regex_word("/a.b+c"), "/a\\.b\\+c");
  EXPECT_EQ(regex_word("/a-b_c~d"), "/a-b_c~d");
}

TEST(Config, MountsAFolderBelowTheRoot) {
  const Site site{.form = TargetForm::folder, .path = "/srv/www", .mount = "/files"};
  const std::string config = render_config(site, settings());
  EXPECT_THAT(config, HasSubstr("Alias \"/files\" \"/srv/www\"\n"));
  EXPECT_THAT(config, HasSubstr("LoadModule alias_module"));
  EXPECT_THAT(config, Not(HasSubstr("DocumentRoot")));
}

TEST(Config, LoadsOnlyTheModulesItNeeds) {
  const std::string config = render_config(script("/srv/a.wsgi"), settings());
  EXPECT_THAT(config, HasSubstr("LoadModule mpm_event_module \"/modules/mod_mpm_event.so\"\n"));
  for (const char* name : {"alias_module", "dir_module", "rewrite_module", "unixd_module"}) {
    EXPECT_THAT(config, Not(HasSubstr(name)));
  }
}

TEST(Config, OpensStaticFolders) {
  Site site = script("/srv/a.wsgi");
  site.statics = {{"/static", "/srv/static"}};
  EXPECT_THAT(render_config(site, settings()), HasSubstr("Alias \"/static\" \"/srv/static\"\n"
                                                         "<Directory \"/srv/static\">\n"
                                                         "  Require all granted\n"));
}

TEST(Config, DeniesWhatItDoesNotOpen) {
  EXPECT_THAT(render_config(script("/srv/a.wsgi"), settings()),
              HasSubstr("<Directory />\n  Require all denied\n"));
}

TEST(Config, WritesAnIpv6AddressInBrackets) {
  ServerSettings on_ipv6 = settings();
  on_ipv6.host = "::1";
  const std::string config = render_config(script("/srv/a.wsgi"), on_ipv6);
  EXPECT_THAT(config, HasSubstr("Listen [::1]:8000\n"));
  // httpd refuses an address in brackets there.
  EXPECT_THAT(config, HasSubstr("ServerName localhost:8000\n"));
}

TEST(Config, ChangesTheUserOnlyWhenItIsTold) {
  EXPECT_THAT(render_config(script("/srv/a.wsgi"), settings()), Not(HasSubstr("User ")));
  ServerSettings as_root = settings();
  as_root.user = "www-data";
  as_root.group = "www-data";
  EXPECT_THAT(render_config(script("/srv/a.wsgi"), as_root),
              HasSubstr("User www-data\nGroup www-data\n"));
}

TEST(Config, DefinesTheDollarSignWhenItIsNeeded) {
  EXPECT_THAT(render_config(script("/srv/a.wsgi"), settings()), Not(HasSubstr("Define")));
  EXPECT_THAT(render_config(script("/srv/${x}.wsgi"), settings()), HasSubstr("Define DOLLAR $\n"));
}

}  // namespace
}  // namespace pyhost::serve
