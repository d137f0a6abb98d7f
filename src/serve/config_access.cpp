// Who may have what.
#include "serve/config_lines.h"
#include "serve/config_words.h"

namespace pyhost::serve {
namespace {

void write_login(ConfigLines& lines, const std::string& file) {
  lines.heading("Who has no password gets nothing");
  for (const char* name : {"auth_basic", "authn_core", "authn_file", "authz_user"}) {
    lines.load(name);
  }
  lines.line("<Location \"/\">");
  lines.line("  AuthType Basic");
  lines.line("  AuthName \"Login\"");
  lines.line("  AuthUserFile {}", config_word(file));
  lines.line("  Require valid-user");
  lines.line("</Location>");
}

}  // namespace

void write_access(ConfigLines& lines, const ConfigSource& source) {
  lines.heading("Nothing is served or told but what is opened below");
  lines.line("ServerTokens Prod");
  lines.line("TraceEnable Off");
  lines.line("<Directory />");
  lines.line("  Require all denied");
  lines.line("  Options FollowSymLinks");
  lines.line("  AllowOverride None");
  lines.line("</Directory>");
  if (!source.options.auth_file.empty()) write_login(lines, source.options.auth_file);
}

}  // namespace pyhost::serve
