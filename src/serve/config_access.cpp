// Who may have what.
#include "serve/config_lines.h"
#include "serve/config_words.h"

namespace pyhost::serve {
namespace {

// Who is in the file, or whom the script knows.
void write_login(ConfigLines& lines, const ServeOptions& options) {
  lines.heading("Who has no password gets nothing");
  for (const char* name : {"auth_basic", "authn_core", "authn_file", "authz_user"}) {
    lines.load(name);
  }
  const std::string& script = options.auth_user_script;
  lines.line("<Location \"/\">");
  lines.line("  AuthType Basic");
  lines.line("  AuthName \"Login\"");
  lines.line("  AuthBasicProvider{}{}", options.auth_file.empty() ? "" : " file",
             script.empty() ? "" : " wsgi");
  if (!options.auth_file.empty()) lines.line("  AuthUserFile {}", config_word(options.auth_file));
  if (!script.empty()) {
    lines.line("  WSGIAuthUserScript {} process-group={} application-group=%{{GLOBAL}}",
               config_word(script), options.embedded ? "%{GLOBAL}" : kGroupName);
  }
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
  const ServeOptions& options = source.options;
  if (!options.auth_file.empty() || !options.auth_user_script.empty()) write_login(lines, options);
}

}  // namespace pyhost::serve
