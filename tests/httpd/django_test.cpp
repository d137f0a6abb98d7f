// A Django project, as its users and operators meet it.

#include <gmock/gmock.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "harness/command.h"
#include "harness/httpd.h"
#include "httpd/digest.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kConfig[] =
    "WSGIPythonPath ${APPS}/django_site\n"
    "WSGIScriptAlias / ${APPS}/django_site/site.wsgi\n"
    "Alias /static ${APPS}/django_site/data/static\n";

// A server with the project on it.
class DjangoSite : public testing::Test {
 protected:
  DjangoSite() : httpd_(kConfig) { httpd_.make_writable("apps/django_site/data"); }

  CommandResult manage(std::vector<std::string> arguments, const Environment& environment = {}) {
    arguments.insert(arguments.begin(), {"/usr/bin/python3", httpd_.app("django_site/manage.py")});
    return run_as_server_user(arguments, environment);
  }
  void fill_database() {
    const CommandResult migrated = manage({"migrate"});
    ASSERT_TRUE(migrated.ok()) << migrated;
    const CommandResult created =
        manage({"createsuperuser", "--no-input", "--username", "root", "--email", "root@localhost"},
               {{"DJANGO_SUPERUSER_PASSWORD", "open sesame"}});
    ASSERT_TRUE(created.ok()) << created;
  }

  Httpd httpd_;
};

// Django's registry of applications cannot be filled a second time.
TEST(Django, ServesWhenWhatItsFirstImportMissedIsThere) {
  Httpd httpd("WSGIScriptAlias / ${ROOT}/apps/late/site.wsgi\n",
              {.processes = 1,
               .files = {{"apps/late/site.wsgi",
                          "import os, sys\n"
                          "sys.path.insert(0, os.path.dirname(__file__))\n"
                          "os.environ['DJANGO_SETTINGS_MODULE'] = 'late_settings'\n"
                          "from django.core.wsgi import get_wsgi_application\n"
                          "application = get_wsgi_application()\n"},
                         {"apps/late/late_settings.py",
                          "SECRET_KEY = 'x'\nALLOWED_HOSTS = ['*']\nROOT_URLCONF = 'late_urls'\n"
                          "INSTALLED_APPS = ['django.contrib.contenttypes', 'late_shop']\n"},
                         {"apps/late/late_urls.py",
                          "from django.http import HttpResponse\nfrom django.urls import path\n"
                          "urlpatterns = [path('', lambda request: HttpResponse('served'))]\n"},
                         {"apps/late/late_shop/__init__.py", ""},
                         {"apps/late/late_shop/apps.py",
                          "import os\nfrom django.apps import AppConfig\n"
                          "class ShopConfig(AppConfig):\n"
                          "    name = 'late_shop'\n"
                          "    def ready(self):\n"
                          "        if os.path.exists(os.path.dirname(__file__) + '/away'):\n"
                          "            raise RuntimeError('the database is away')\n"},
                         {"apps/late/late_shop/away", ""}}});
  httpd.expect_log("the database is away");
  EXPECT_EQ(httpd.get("/").status, 500);
  std::filesystem::remove(httpd.app("late/late_shop/away"));
  httpd.tolerate_log("PH0303");
  EXPECT_TRUE(wait_until([&] { return httpd.get("/").body == "served"; }));
}

// The token that a form of Django carries against forgery.
std::string csrf_token_in(const std::string& page) {
  return std::string(between(page, "name=\"csrfmiddlewaretoken\" value=\"", "\""));
}

Request login_form(const std::string& csrf_token, const std::string& password) {
  return {.method = "POST",
          .path = "/admin/login/?next=/admin/",
          .headers = {{"Content-Type", "application/x-www-form-urlencoded"}},
          .body = "csrfmiddlewaretoken=" + csrf_token + "&username=root&password=" + password};
}

TEST_F(DjangoSite, LetsAPersonLogInToTheAdminAndOutAgain) {
  ASSERT_NO_FATAL_FAILURE(fill_database());
  HttpClient browser = httpd_.client();
  browser.keep_cookies();
  EXPECT_EQ(browser.get("/admin/").header("location"), "/admin/login/?next=/admin/");
  const Response form = browser.get("/admin/login/?next=/admin/");
  ASSERT_EQ(form.status, 200) << form;

  const std::string token = csrf_token_in(form.body);
  EXPECT_THAT(browser.request(login_form(token, "wrong")).body, HasSubstr("correct username"));
  const Response login = browser.request(login_form(token, "open+sesame"));
  EXPECT_EQ(login.status, 302) << login;
  EXPECT_EQ(login.header("location"), "/admin/");
  const Response index = browser.get("/admin/");
  EXPECT_EQ(index.status, 200);
  EXPECT_THAT(index.body, HasSubstr("Site administration"));
  EXPECT_THAT(browser.get("/admin/auth/user/").body, HasSubstr("root@localhost"));

  EXPECT_THAT(browser.get("/admin/logout/").body, HasSubstr("Logged out"));
  EXPECT_EQ(browser.get("/admin/").status, 302);
}

TEST_F(DjangoSite, RefusesAFormWithoutItsToken) {
  HttpClient browser = httpd_.client();
  browser.keep_cookies();
  EXPECT_EQ(browser.get("/admin/login/").status, 200);
  EXPECT_EQ(browser.request(login_form("", "open+sesame")).status, 403);
}

TEST_F(DjangoSite, ReceivesAnUploadByteForByte) {
  constexpr std::size_t kFileBytes = 5'000'017;
  const std::string file = varied_bytes(kFileBytes);
  const std::string body =
      "--edge\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nGröße\r\n"
      "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"all.bin\"\r\n"
      "Content-Type: application/octet-stream\r\n\r\n" +
      file + "\r\n--edge--\r\n";
  const Response reply =
      httpd_.request({.method = "POST",
                      .path = "/upload",
                      .headers = {{"Content-Type", "multipart/form-data; boundary=edge"}},
                      .body = body});
  ASSERT_EQ(reply.status, 200) << reply;
  const auto seen = nlohmann::json::parse(reply.body);
  EXPECT_EQ(seen["name"], "all.bin");
  EXPECT_EQ(seen["title"], "Größe");
  EXPECT_EQ(seen["size"], kFileBytes);
  EXPECT_EQ(seen["sha256"], sha256_of(file));
  EXPECT_EQ(seen["on_disk"], true);
}

TEST_F(DjangoSite, StreamsAReply) {
  constexpr int kBlocks = 5000;
  const Response reply = httpd_.get("/stream/" + std::to_string(kBlocks));
  std::string all;
  for (int i = 0; i < kBlocks; ++i) all += "block " + std::to_string(i) + "\n";
  EXPECT_TRUE(reply.complete()) << reply.error_text;
  EXPECT_EQ(reply.header("content-length"), std::nullopt);
  EXPECT_EQ(reply.body, all);
}

TEST_F(DjangoSite, LeavesCollectedFilesToHttpd) {
  const CommandResult collected = manage({"collectstatic", "--no-input"});
  ASSERT_TRUE(collected.ok()) << collected;
  const std::string style = read_file(httpd_.app("django_site/data/static/admin/css/base.css"));
  const Response reply = httpd_.get("/static/admin/css/base.css");
  EXPECT_EQ(reply.header("content-type"), "text/css");
  EXPECT_EQ(reply.body, style);
  EXPECT_NE(reply.header("last-modified"), std::nullopt);
  EXPECT_THAT(httpd_.log(), Not(HasSubstr("PH0308"))) << "Python took part";
}

TEST_F(DjangoSite, HasTheTracebackOfAFailedViewInOneLogRecord) {
  httpd_.expect_log("PH0174");
  EXPECT_EQ(httpd_.get("/fail").status, 500);
  const std::string log = httpd_.log();
  EXPECT_EQ(count(log, "Traceback (most recent call last)"), 2u);
  const std::string record(between(log, "PH0174", "\n"));
  for (const char* part :
       {"django/core/handlers/exception.py", "site_views.py", "KeyError: 'no such key'",
        "was the direct cause", "RuntimeError: the view failed"}) {
    EXPECT_THAT(record, HasSubstr(part));
  }
  EXPECT_EQ(httpd_.get("/stream/1").status, 200);
}

}  // namespace
}  // namespace pyhost::test
