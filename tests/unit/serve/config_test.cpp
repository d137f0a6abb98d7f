#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serve/config_words.h"
#include "serve/server_plan.h"

namespace pyhost::serve {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

ServerPlan plan() {
  return {.server_root = "/run/site",
          .addresses = {{"127.0.0.1", 8000}},
          .home = "/srv",
          .module_file = "/opt/mod_pyhost.so",
          .modules_dir = "/modules",
          .modules = {"mod_alias.so", "mod_authz_core.so", "mod_dir.so", "mod_mime.so",
                      "mod_mpm_event.so", "mod_reqtimeout.so", "mod_rewrite.so", "mod_ssl.so"},
          .mime_types_file = "/etc/mime.types",
          .access_log = kTerminalRequests,
          .error_log = kTerminalErrors};
}

Site script(const std::string& path) {
  return {.form = TargetForm::script, .path = path, .callable = "application", .mount = "/"};
}

const Site kModule{.form = TargetForm::module,
                   .module = "shop.web",
                   .callable = "app",
                   .mount = "/shop",
                   .python_path = {"/srv/a", "/srv/b"},
                   .python_home = "/srv/venv"};

const Site kFolder{.form = TargetForm::folder, .path = "/srv/www", .mount = "/"};

std::string config(const Site& site, const ServeOptions& options = {},
                   const ServerPlan& plan = serve::plan()) {
  return render_config(site, options, plan);
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

TEST(RegexWord, MeansAUrlAsItIs) {
  EXPECT_EQ(regex_word("/a.b+c"), "/a\\.b\\+c");
  EXPECT_EQ(regex_word("/a-b_c~d"), "/a-b_c~d");
}

// --- The application -----------------------------------------------------------------------------

TEST(Config, NamesTheInterfaceOfWhatWantsAnEventLoop) {
  Site site = kModule;
  site.has_event_loop = true;
  ServeOptions options;
  EXPECT_THAT(config(site, options),
              AllOf(HasSubstr("threads=10 interface=asgi "), HasSubstr("MaxRequestWorkers 256\n")));
  options.interface = "asgi2";
  options.connections = "400";
  EXPECT_THAT(config(site, options),
              AllOf(HasSubstr("interface=\"asgi2\" connections=\"400\""),
                    Not(HasSubstr("interface=asgi ")), HasSubstr("MaxRequestWorkers 576\n")));
}

TEST(Config, ServesAScriptInAProcessGroup) {
  EXPECT_THAT(config(script("/srv/app/hello.wsgi")),
              HasSubstr("WSGIRestrictEmbedded On\n"
                        "WSGIDaemonProcess app threads=10 home=\"/srv\"\n"
                        "WSGIPassAuthorization On\n"
                        "# With both groups named the script is imported when a process starts.\n"
                        "WSGIScriptAlias \"/\" \"/srv/app/hello.wsgi\" process-group=app "
                        "application-group=%{GLOBAL}\n"
                        "<Directory \"/srv/app\">\n"
                        "  <Files \"hello.wsgi\">\n"
                        "    Require all granted\n"
                        "  </Files>\n"
                        "</Directory>\n"));
}

TEST(Config, NamesACallableThatIsNotTheUsualOne) {
  Site site = script("/srv/hello.wsgi");
  EXPECT_THAT(config(site), Not(HasSubstr("callable-object=")));
  site.callable = "create_app()";
  EXPECT_THAT(config(site), HasSubstr(" callable-object=\"create_app()\"\n"));
}

TEST(Config, ServesAModule) {
  EXPECT_THAT(config(kModule),
              AllOf(HasSubstr("WSGIScriptAlias \"/shop\" \"shop.web:app\" "),
                    HasSubstr(" python-path=\"/srv/a:/srv/b\""),
                    HasSubstr(" python-home=\"/srv/venv\""), Not(HasSubstr("<Files"))));
}

TEST(Config, GivesTheGroupItsOptions) {
  ServeOptions options;
  options.processes = 2;
  options.threads = 3;
  options.env = {{"A", "b c"}};
  options.env_file = "/srv/env";
  options.request_timeout = "30s";
  ServerPlan reloading = plan();
  reloading.reload_patterns = {"/srv/**/*.py"};
  EXPECT_THAT(
      config(script("/srv/a.wsgi"), options, reloading),
      HasSubstr("WSGIDaemonProcess app threads=3 processes=2 home=\"/srv\" env=\"A=b c\" "
                "env-file=\"/srv/env\" reload-on=\"/srv/**/*.py\" request-timeout=\"30s\"\n"));
}

TEST(Config, EmbedsTheApplicationOnDemand) {
  ServeOptions options;
  options.embedded = true;
  EXPECT_THAT(config(kModule, options),
              AllOf(HasSubstr("WSGIPythonPath \"/srv/a:/srv/b\"\n"),
                    HasSubstr("WSGIPythonHome \"/srv/venv\"\n"),
                    HasSubstr("process-group=%{GLOBAL} application-group=%{GLOBAL}\n"),
                    HasSubstr("MaxRequestWorkers 10\n"), HasSubstr("ThreadStackSize "),
                    Not(HasSubstr("WSGIDaemonProcess"))));
}

// Those of the group, those that wait for them, and some for files.
TEST(Config, TakesMoreRequestsThanTheWorkersRun) {
  EXPECT_THAT(config(script("/srv/a.wsgi")), HasSubstr("MaxRequestWorkers 192\n"));
  ServeOptions many;
  many.processes = 10;
  many.threads = 50;
  many.queue = "0";
  EXPECT_THAT(config(script("/srv/a.wsgi"), many), HasSubstr("MaxRequestWorkers 576\n"));
  many.max_clients = 1000;
  EXPECT_THAT(config(script("/srv/a.wsgi"), many), HasSubstr("MaxRequestWorkers 1024\n"));
}

TEST(Config, BelievesTrustedProxies) {
  ServeOptions options;
  options.trust_proxy = {"10.0.0.1", "10.1.0.0/16"};
  EXPECT_THAT(config(kModule, options),
              HasSubstr("WSGITrustedProxies 10.0.0.1 10.1.0.0/16\n"
                        "WSGITrustedProxyHeaders X-Forwarded-For X-Forwarded-Host "
                        "X-Forwarded-Proto\n"));
}

// --- Files ---------------------------------------------------------------------------------------

TEST(Config, ServesAFolderWithoutPython) {
  EXPECT_THAT(config(kFolder), AllOf(HasSubstr("DocumentRoot \"/srv/www\"\n"),
                                     Not(HasSubstr("wsgi_module")), Not(HasSubstr("WSGI"))));
}

TEST(Config, MountsAFolderBelowTheRoot) {
  Site site = kFolder;
  site.mount = "/files";
  EXPECT_THAT(config(site),
              AllOf(HasSubstr("Alias \"/files\" \"/srv/www\"\n"),
                    HasSubstr("LoadModule alias_module"), Not(HasSubstr("DocumentRoot"))));
}

TEST(Config, OpensStaticFoldersAndFiles) {
  Site site = script("/srv/a.wsgi");
  site.statics = {{"/static", "/srv/static", false}, {"/favicon.ico", "/srv/f.ico", true}};
  EXPECT_THAT(config(site), AllOf(HasSubstr("Alias \"/static\" \"/srv/static\"\n"
                                            "<Directory \"/srv/static\">\n"
                                            "  Require all granted\n"),
                                  HasSubstr("Alias \"/favicon.ico\" \"/srv/f.ico\"\n"
                                            "<Directory \"/srv\">\n"
                                            "  <Files \"f.ico\">\n")));
}

TEST(Config, DeniesWhatItDoesNotOpen) {
  EXPECT_THAT(config(script("/srv/a.wsgi")), HasSubstr("<Directory />\n  Require all denied\n"));
}

TEST(Config, PutsTheFilesOfADocumentRootBeforeTheApplication) {
  ServeOptions options;
  options.document_root = "/srv/$1 %x";
  EXPECT_THAT(config(script("/srv/a.wsgi"), options),
              HasSubstr(R"(RewriteCond "/srv/\\$1 \\%x%{REQUEST_URI}" -f)"
                        "\n"
                        R"(RewriteRule ^(.*)$ "/srv/\\$1 \\%x$1" [L])"));
}

// --- Listening -----------------------------------------------------------------------------------

TEST(Config, WritesAnIpv6AddressInBrackets) {
  ServerPlan on_ipv6 = plan();
  on_ipv6.addresses = {{"::1", 8000}};
  // httpd refuses an address in brackets as the name.
  EXPECT_THAT(config(kFolder, {}, on_ipv6),
              AllOf(HasSubstr("Listen [::1]:8000\n"), HasSubstr("ServerName localhost:8000\n")));
}

TEST(Config, ListensOnEveryAddressThatIsNamed) {
  ServerPlan many = plan();
  many.addresses = {{"", 80}, {"10.0.0.1", 81}};
  EXPECT_THAT(config(kFolder, {}, many), AllOf(HasSubstr("Listen 80\nListen 10.0.0.1:81\n"),
                                               HasSubstr("ServerName localhost:80")));
}

TEST(Config, SpeaksHttpsWithACertificate) {
  ServerPlan secure = plan();
  secure.tls_cert = "/srv/cert.pem";
  const std::string one_port = config(kFolder, {}, secure);
  EXPECT_THAT(one_port, AllOf(HasSubstr("SSLCertificateFile \"/srv/cert.pem\"\n"),
                              HasSubstr("SSLEngine On\n"), Not(HasSubstr("<VirtualHost"))));
  ServeOptions options;
  options.https_port = 8443;
  options.https_only = true;
  EXPECT_THAT(config(kFolder, options, secure),
              AllOf(HasSubstr("ServerName 127.0.0.1:8443\nListen 127.0.0.1:8000\n"
                              "Listen 127.0.0.1:8443\n"),
                    HasSubstr("<VirtualHost *:8000>\n  ServerName 127.0.0.1:8000\n"
                              "  SSLEngine Off\n"
                              "  Redirect permanent / \"https://127.0.0.1:8443/\"\n")));
}

// --- The rest ------------------------------------------------------------------------------------

TEST(Config, LoadsOnlyTheModulesItNeeds) {
  const std::string text = config(script("/srv/a.wsgi"));
  EXPECT_THAT(text, HasSubstr("LoadModule mpm_event_module \"/modules/mod_mpm_event.so\"\n"));
  for (const char* name : {"alias_module", "dir_module", "rewrite_module", "unixd_module"}) {
    EXPECT_THAT(text, Not(HasSubstr(name)));
  }
}

TEST(Config, ChangesTheUserOnlyWhenItIsTold) {
  EXPECT_THAT(config(kFolder), Not(HasSubstr("User ")));
  ServerPlan as_root = plan();
  as_root.user = "www-data";
  as_root.group = "www-data";
  EXPECT_THAT(config(kFolder, {}, as_root), HasSubstr("User www-data\nGroup www-data\n"));
}

TEST(Config, WritesHeadersForEveryReply) {
  ServeOptions options;
  options.headers = {"X-Frame-Options: DENY", "X-Empty:"};
  EXPECT_THAT(config(kFolder, options), HasSubstr("Header always set \"X-Frame-Options\" \"DENY\"\n"
                                                  "Header always set \"X-Empty\" \"\"\n"));
}

TEST(Config, AsksForAPasswordBeforeAnything) {
  ServeOptions options;
  options.auth_file = "/srv/users";
  EXPECT_THAT(config(script("/srv/a.wsgi"), options),
              AllOf(HasSubstr("AuthUserFile \"/srv/users\"\n  Require valid-user\n"),
                    Not(HasSubstr("WSGIPassAuthorization"))));
}

TEST(Config, AsksAScriptForThePassword) {
  ServeOptions options;
  options.auth_user_script = "/srv/users.py";
  EXPECT_THAT(config(script("/srv/a.wsgi"), options),
              HasSubstr("  AuthBasicProvider wsgi\n"
                        "  WSGIAuthUserScript \"/srv/users.py\" process-group=app "
                        "application-group=%{GLOBAL}\n"
                        "  Require valid-user\n"));
}

TEST(Config, RunsServicesBesideTheApplication) {
  ServeOptions options;
  options.services = {{"queue", "/srv/queue.py"}};
  EXPECT_THAT(config(script("/srv/a.wsgi"), options),
              HasSubstr("WSGIDaemonProcess \"service:queue\" threads=0 home=\"/srv\"\n"
                        "WSGIImportScript \"/srv/queue.py\" process-group=\"service:queue\" "
                        "application-group=%{GLOBAL}\n"));
}

TEST(Config, LimitsHowLongRequestsTakeToCome) {
  EXPECT_THAT(config(kFolder),
              HasSubstr("RequestReadTimeout header=20-40,MinRate=500 body=20,MinRate=500\n"));
  ServeOptions options;
  options.header_timeout = base::Milliseconds(0);
  options.body_min_rate = 0;
  EXPECT_THAT(config(kFolder, options), HasSubstr("RequestReadTimeout header=0 body=20\n"));
}

TEST(Config, GivesLogsToAProgramThatRotatesThem) {
  ServeOptions options;
  options.rotate_logs = true;
  options.max_log_size = 20;
  ServerPlan files = plan();
  files.rotatelogs = "/usr/bin/rotatelogs";
  files.error_log = R"(/var/log/a "b" 50%/error_log)";
  EXPECT_THAT(config(kFolder, options, files),
              AllOf(HasSubstr(R"(ErrorLog "|/usr/bin/rotatelogs -l )"
                              R"(\"/var/log/a \\\"b\\\" 50%%/error_log.%Y-%m-%d-%H_%M_%S\" 20M")"),
                    HasSubstr("CustomLog \"/dev/stdout\"")));
}

TEST(Config, RewritesByYourRulesFirst) {
  ServeOptions options;
  options.rewrite_rules = "/srv/rules.conf";
  options.document_root = "/srv/files";
  const std::string text = config(script("/srv/a.wsgi"), options);
  EXPECT_LT(text.find("Include \"/srv/rules.conf\""), text.find("RewriteCond"));
}

TEST(Config, LooksAtNoScriptTwice) {
  ServeOptions options;
  options.disable_reloading = true;
  EXPECT_THAT(config(script("/srv/a.wsgi"), options), HasSubstr("WSGIScriptReloading Off\n"));
}

TEST(Config, IncludesYoursAtTheEnd) {
  ServeOptions options;
  options.includes = {"/srv/more*.conf"};
  EXPECT_TRUE(config(kFolder, options).ends_with("Include \"/srv/more[*].conf\"\n"));
}

TEST(Config, DefinesTheDollarSignWhenItIsNeeded) {
  EXPECT_THAT(config(script("/srv/a.wsgi")), Not(HasSubstr("Define")));
  EXPECT_THAT(config(script("/srv/${x}.wsgi")), HasSubstr("Define DOLLAR $\n"));
}

}  // namespace
}  // namespace pyhost::serve
