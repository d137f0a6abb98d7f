// Layouts of configurations in which no WSGIScriptAlias says what a process group serves: httpd
// finds the file, and the handler runs it in the group.

#include <gmock/gmock.h>

#include <ostream>
#include <string>
#include <vector>

#include "harness/httpd.h"
#include "httpd/portrait.h"
#include "httpd/text.h"

namespace pyhost::test {
namespace {

// Access and group by URL, so that no section names a folder. What the text names is there.
constexpr char kByUrl[] =
    "# ${APPS}\n"
    "WSGIDaemonProcess g\n"
    "<Location />\n  Require all granted\n  WSGIProcessGroup g\n"
    "  WSGIApplicationGroup %{GLOBAL}\n  Options +ExecCGI\n</Location>\n";

struct Layout {
  const char* name;
  const char* config;
  const char* url;
  const char* file;  // that is to be run
};

std::ostream& operator<<(std::ostream& out, const Layout& layout) {
  return out << layout.name;
}

class Handled : public testing::TestWithParam<Layout> {};

TEST_P(Handled, ByTheGroup) {
  const Layout& layout = GetParam();
  const Httpd httpd(std::string(kByUrl) + layout.config,
                    {.files = {{"site/.htaccess", "SetHandler wsgi-script\n"}}});
  httpd.write_file(layout.file, read_file(httpd.app("process.wsgi")));
  const Json seen = portrait_of(httpd, layout.url);
  ASSERT_TRUE(seen.contains("wsgi")) << layout.name;
  EXPECT_EQ(seen["wsgi"]["mod_wsgi.process_group"], "g");
}

INSTANTIATE_TEST_SUITE_P(
    Through, Handled,
    testing::Values(
        Layout{"AliasOfTheScriptAndLocation",
               "Alias /api ${ROOT}/bin/api\n"
               "<Location /api>\n  SetHandler wsgi-script\n</Location>\n",
               "/api/v3", "bin/api"},
        Layout{"AliasOfAFolderAndLocation",
               "Alias /scripts/ ${ROOT}/scripts/\n"
               "<Location /scripts>\n  SetHandler wsgi-script\n</Location>\n",
               "/scripts/a.wsgi/more", "scripts/a.wsgi"},
        Layout{"AliasInsideLocation",
               "<Location /api>\n  Alias ${ROOT}/bin/api\n  SetHandler wsgi-script\n"
               "</Location>\n",
               "/api", "bin/api"},
        Layout{"AliasMatch",
               "AliasMatch ^/at/([^/]+) ${ROOT}/sites/$1/app.wsgi\n"
               "AddHandler wsgi-script .wsgi\n",
               "/at/one", "sites/one/app.wsgi"},
        Layout{"AliasBelowServerRoot",
               "Alias /api bin/api\n<Location /api>\n  SetHandler wsgi-script\n</Location>\n",
               "/api", "bin/api"},
        Layout{"FilesMatch",
               "Alias /files ${ROOT}/files\n"
               "<FilesMatch \"\\.wsgi$\">\n  SetHandler wsgi-script\n</FilesMatch>\n",
               "/files/a.wsgi", "files/a.wsgi"},
        Layout{"UserDir",
               "LoadModule userdir_module " PYHOST_TEST_HTTPD_MODULES_DIR "/mod_userdir.so\n"
               "UserDir ${ROOT}/people/*/www\nAddHandler wsgi-script .wsgi\n",
               "/~ann/a.wsgi", "people/ann/www/a.wsgi"},
        Layout{"VirtualDocumentRoot",
               "LoadModule vhost_alias_module " PYHOST_TEST_HTTPD_MODULES_DIR
               "/mod_vhost_alias.so\n"
               "UseCanonicalName Off\nVirtualDocumentRoot ${ROOT}/hosts/%0/public\n"
               "AddHandler wsgi-script .wsgi\n",
               "/a.wsgi", "hosts/127.0.0.1/public/a.wsgi"},
        Layout{"RewritingToAHandler",
               "RewriteEngine On\n"
               "RewriteRule ^/r/(.*) ${ROOT}/rewritten/$1.wsgi [H=wsgi-script]\n",
               "/r/a", "rewritten/a.wsgi"},
        Layout{"AnAccessFile",
               "Alias /site ${ROOT}/site\n"
               "<Location /site>\n  Require all granted\n</Location>\n"
               "<Directory ${ROOT}/si*>\n  AllowOverride All\n</Directory>\n",
               "/site/a.py", "site/a.py"},
        Layout{"DirectoryWithAWildcard",
               "RewriteEngine On\nRewriteMap home \"prg:/usr/bin/sed -u s,^,${ROOT},\"\n"
               "RewriteRule ^/w(/.*) ${home:/wild/one$1} [H=wsgi-script,UnsafePrefixStat]\n"
               "<Directory ${ROOT}/wild/*>\n  Require all granted\n</Directory>\n",
               "/w/a.wsgi", "wild/one/a.wsgi"},
        Layout{"DirectoryMatch",
               "RewriteEngine On\nRewriteMap home \"prg:/usr/bin/sed -u s,^,${ROOT},\"\n"
               "RewriteRule ^/w(/.*) ${home:/match/one$1} [H=wsgi-script,UnsafePrefixStat]\n"
               "<DirectoryMatch \"^${ROOT}/match/[^/]+\">\n  Require all granted\n"
               "</DirectoryMatch>\n",
               "/w/a.wsgi", "match/one/a.wsgi"}),
    [](const auto& info) { return std::string(info.param.name); });

// What the configuration cannot lead to stays closed to whoever gets hold of a child of httpd. Here
// httpd itself is led there by a program.
TEST(Handled, OnlyWhereTheConfigurationLeads) {
  Httpd httpd(std::string(kByUrl) +
              "RewriteEngine On\nRewriteMap home \"prg:/usr/bin/sed -u s,^,${ROOT},\"\n"
              "RewriteRule ^(/.*) ${home:$1} [H=wsgi-script,UnsafePrefixStat]\n"
              "<Directory ${ROOT}/shut/*>\n  Require all denied\n</Directory>\n"
              "<DirectoryMatch \"/other\">\n  Require all granted\n</DirectoryMatch>\n");
  const std::string text = read_file(httpd.app("process.wsgi"));
  for (const char* file : {"shut/a/a.wsgi", "other/a.wsgi"}) httpd.write_file(file, text);
  for (const char* url : {"/shut/a/a.wsgi", "/other/a.wsgi"}) {
    EXPECT_EQ(httpd.get(url).status, 500) << url;
  }
  httpd.wait_for_log("PH0475");
  httpd.expect_log("PH0475");
}

}  // namespace
}  // namespace pyhost::test
