// Configurations as distributions, documentation and tools write them, with names of our own: they
// start, serve, and the check has nothing to mend.

#include <gmock/gmock.h>
#include <unistd.h>

#include <ostream>
#include <vector>

#include "harness/httpd.h"
#include "httpd/checked.h"

namespace pyhost::test {
namespace {

// Says in which process group it runs, and whether its folder of modules was found.
constexpr char kScript[] = R"(
try:
    import site_settings
except ImportError:
    site_settings = None
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    found = 'with' if site_settings else 'without'
    return [(environ['mod_wsgi.process_group'] + ' ' + found).encode()]
)";

// What stands between httpd and the application of a tool that writes the whole configuration.
constexpr char kHandler[] = R"(
import site_settings
def reload_required(path):
    return False
def handle_request(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    url = environ.get('SCRIPT_NAME', '') + environ.get('PATH_INFO', '')
    return [(environ['mod_wsgi.process_group'] + ' ' + url).encode()]
)";

struct Asked {
  const char* path;
  const char* host;
  int status;
  const char* body;
};

struct Real {
  const char* name;
  const char* config;
  std::vector<Asked> requests;
};

std::ostream& operator<<(std::ostream& out, const Real& real) {
  return out << real.name;
}

class RealConfiguration : public testing::TestWithParam<Real> {
 protected:
  const Options options_{.files = {{"site/mysite/wsgi.py", kScript},
                                   {"site/site_settings.py", ""},
                                   {"site/static/app.css", "css"},
                                   {"bin/service-api", kScript},
                                   {"tool/handler.wsgi", kHandler},
                                   {"tool/htdocs/app.css", "css"}}};
};

TEST_P(RealConfiguration, ServesWhatItIsFor) {
  const Httpd httpd(GetParam().config, options_);
  for (const Asked& asked : GetParam().requests) {
    const Response reply = httpd.request({.path = asked.path, .headers = {{"Host", asked.host}}});
    EXPECT_EQ(reply.status, asked.status) << asked.path;
    EXPECT_EQ(reply.body, asked.body) << asked.path;
  }
}

TEST_P(RealConfiguration, HasNothingToMend) {
  const Checked checked(GetParam().config, options_);
  const CommandResult result = checked.run({"check"});
  EXPECT_EQ(result.exit_code, 0) << result;
}

// Every line that the packaged file suggests, and the application of an administrator.
constexpr char kDistribution[] = R"(
<IfModule mod_wsgi.c>
    WSGISocketPrefix ${ROOT}/wsgi
    WSGIPythonOptimize 0
    WSGIPythonPath ${ROOT}/site:${ROOT}/bin
    WSGIPythonEggs ${ROOT}
    WSGIRestrictEmbedded Off
    WSGIRestrictStdin On
    WSGIRestrictStdout On
    WSGIRestrictSignal On
    WSGIAcceptMutex default
    WSGILazyInitialization On
    WSGIScriptAlias /app ${ROOT}/site/mysite/wsgi.py
</IfModule>
<Directory ${ROOT}/site/mysite>
    Require all granted
</Directory>
)";

// A framework's page on deployment: first in httpd's own processes, then in a group.
constexpr char kFrameworkEmbedded[] = R"(
WSGIScriptAlias / ${ROOT}/site/mysite/wsgi.py
WSGIPythonPath ${ROOT}/site
<Directory ${ROOT}/site/mysite>
<Files wsgi.py>
Require all granted
</Files>
</Directory>
)";

constexpr char kFrameworkDaemon[] = R"(
Alias /static/ ${ROOT}/site/static/
<Directory ${ROOT}/site/static>
Require all granted
</Directory>
WSGIDaemonProcess site.test python-path=${ROOT}/site
WSGIProcessGroup site.test
WSGIScriptAlias / ${ROOT}/site/mysite/wsgi.py process-group=site.test
<Directory ${ROOT}/site/mysite>
<Files wsgi.py>
Require all granted
</Files>
</Directory>
)";

// Another one's, with the access lines of httpd 2.2.
constexpr char kFrameworkHost[] = "LoadModule access_compat_module " PYHOST_TEST_HTTPD_MODULES_DIR
                                  "/mod_access_compat.so\n"
                                  R"(
<VirtualHost *:*>
    ServerName site.test

    WSGIDaemonProcess mysite threads=5
    WSGIScriptAlias / ${ROOT}/site/mysite/wsgi.py

    <Directory ${ROOT}/site/mysite>
        WSGIProcessGroup mysite
        WSGIApplicationGroup %{GLOBAL}
        Require all granted
        Order deny,allow
        Allow from all
    </Directory>
</VirtualHost>
)";

// A virtual host, and the copy of it that a tool for certificates makes.
constexpr char kCertificatePair[] = R"(
<VirtualHost *:*>
    ServerName site.test
    DocumentRoot ${ROOT}/htdocs
    WSGIDaemonProcess site python-path=${ROOT}/site processes=2 threads=15 display-name=%{GROUP}
    WSGIProcessGroup site
    WSGIScriptAlias / ${ROOT}/site/mysite/wsgi.py
    <Directory ${ROOT}/site/mysite>
        Require all granted
    </Directory>
RewriteEngine on
RewriteCond %{SERVER_NAME} =www.site.test
RewriteRule ^ https://%{SERVER_NAME}%{REQUEST_URI} [END,NE,R=permanent]
</VirtualHost>
<IfModule mod_alias.c>
<VirtualHost *:1>
    ServerName site.test
    DocumentRoot ${ROOT}/htdocs
    WSGIDaemonProcess site python-path=${ROOT}/site processes=2 threads=15 display-name=%{GROUP}
    WSGIProcessGroup site
    WSGIScriptAlias / ${ROOT}/site/mysite/wsgi.py
    <Directory ${ROOT}/site/mysite>
        Require all granted
    </Directory>
</VirtualHost>
</IfModule>
)";

// A cloud's service: a host of its own, and a location of every other host.
constexpr char kCloudService[] = R"(
<VirtualHost *:1>
    WSGIDaemonProcess service-api processes=1 threads=1 display-name=%{GROUP}
    WSGIProcessGroup service-api
    WSGIScriptAlias / ${ROOT}/bin/service-api
    WSGIApplicationGroup %{GLOBAL}
    WSGIPassAuthorization On
    <Directory ${ROOT}/bin>
        Require all granted
    </Directory>
</VirtualHost>
WSGIDaemonProcess service-locations processes=1 threads=1
Alias /service ${ROOT}/bin/service-api
<Location /service>
    SetHandler wsgi-script
    Options +ExecCGI
    WSGIProcessGroup service-locations
    WSGIApplicationGroup %{GLOBAL}
    WSGIPassAuthorization On
    Require all granted
</Location>
)";

// Every option of the group is written, with values that mean none; files come before the
// application, which is no alias.
constexpr char kTool[] = R"(
WSGISocketPrefix '${ROOT}/wsgi'
WSGISocketRotation Off
WSGIVerboseDebugging Off
WSGIDestroyInterpreter On
WSGIRestrictEmbedded On
WSGIDaemonProcess 'localhost:8000' display-name='(wsgi:localhost:8000:0)' home='${ROOT}/site' \
    threads=5 maximum-requests=0 python-path='' python-eggs='${ROOT}/tool' lang='' locale='' \
    listen-backlog=100 queue-timeout=45 socket-timeout=60 connect-timeout=15 request-timeout=60 \
    inactivity-timeout=0 startup-timeout=15 deadlock-timeout=60 graceful-timeout=15 \
    eviction-timeout=0 restart-interval=0 cpu-time-limit=0 shutdown-timeout=5 \
    send-buffer-size=0 receive-buffer-size=0 response-buffer-size=0 response-socket-timeout=0 \
    interrupt-timeout=0 server-metrics=Off
WSGICallableObject 'application'
WSGIPassAuthorization On
WSGIMapHEADToGET Auto
LimitRequestBody 10485760
DocumentRoot '${ROOT}/tool/htdocs'
<Directory '${ROOT}/tool'>
    AllowOverride None
    <Files handler.wsgi>
        Require all granted
    </Files>
</Directory>
<Directory '${ROOT}/tool/htdocs'>
    RewriteEngine On
    RewriteOptions InheritDownBefore
    RewriteCond %{REQUEST_FILENAME} !-f
    RewriteCond %{REQUEST_URI} !/server-status
    RewriteRule .* - [H=wsgi-handler]
    Require all granted
</Directory>
WSGIHandlerScript wsgi-handler '${ROOT}/tool/handler.wsgi' process-group='localhost:8000' \
    application-group=%{GLOBAL}
WSGIImportScript '${ROOT}/tool/handler.wsgi' process-group='localhost:8000' \
    application-group=%{GLOBAL}
)";

// As a2enmod links them. The package's wsgi.conf is included as it is, its wsgi.load with the path
// of the module as the only change.
TEST(PackagedConfiguration, OfDebianServesASiteWithOnlyTheModulesPathChanged) {
  const std::string folder = TEST_PACKAGED_FOLDER;
  std::string load = read_file(folder + "/wsgi.load");
  if (load.empty()) GTEST_SKIP() << "scripts/install-deps test fetches it to " << folder;
  const std::string path = "/usr/lib/apache2/modules/mod_wsgi.so";
  const auto at = load.find(path);
  ASSERT_NE(at, load.npos) << load;
  load.replace(at, path.size(), TEST_MODULE);
  const Options options{.files = {{"mods-enabled/wsgi.load", load},
                                  {"mods-enabled/wsgi.conf", read_file(folder + "/wsgi.conf")},
                                  {"site/mysite/wsgi.py", kScript},
                                  {"site/site_settings.py", ""}},
                        .wsgi_module = WsgiModule::absent};
  constexpr char kSite[] = R"(
    IncludeOptional ${ROOT}/mods-enabled/*.load
    IncludeOptional ${ROOT}/mods-enabled/*.conf
    <VirtualHost *:*>
      ServerName shop.test
      WSGIDaemonProcess shop processes=2 threads=5 display-name=%{GROUP} python-path=${ROOT}/site
      WSGIProcessGroup shop
      WSGIPassAuthorization On
      WSGIScriptAlias / ${ROOT}/site/mysite/wsgi.py
      <Directory ${ROOT}/site/mysite>
        <Files wsgi.py>
          Require all granted
        </Files>
      </Directory>
    </VirtualHost>)";
  const Httpd httpd(kSite, options);
  EXPECT_EQ(httpd.get("/").body, "shop with");
  const CommandResult checked = Checked(kSite, options).run({"check"});
  EXPECT_EQ(checked.exit_code, 0) << checked;
}

INSTANTIATE_TEST_SUITE_P(
    Of, RealConfiguration,
    testing::Values(
        Real{"ADistribution", kDistribution, {{"/app", "localhost", 200, " with"}}},
        Real{"AFrameworkEmbedded",
             kFrameworkEmbedded,
             {{"/", "localhost", 200, " with"}, {"/any/page", "localhost", 200, " with"}}},
        Real{"AFrameworkInAGroup",
             kFrameworkDaemon,
             {{"/", "localhost", 200, "site.test with"},
              {"/static/app.css", "localhost", 200, "css"}}},
        Real{"AFrameworkInAVirtualHost",
             kFrameworkHost,
             {{"/", "site.test", 200, "mysite without"}}},
        Real{"AHostAndItsCopyForTls", kCertificatePair, {{"/", "site.test", 200, "site with"}}},
        Real{"AServiceOfACloud",
             kCloudService,
             {{"/service", "localhost", 200, "service-locations without"},
              {"/service/v3/x", "localhost", 200, "service-locations without"}}},
        Real{"ATool",
             kTool,
             {{"/", "localhost", 200, "localhost:8000 /"},
              {"/shop/cart", "localhost", 200, "localhost:8000 /shop/cart"},
              {"/app.css", "localhost", 200, "css"}}}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace pyhost::test
