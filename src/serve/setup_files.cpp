#include "serve/setup_files.h"

#include <fmt/format.h>

namespace pyhost::serve {
namespace {

// A word of the shell.
std::string shell_word(std::string_view text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

// A word of a unit, where % and \ mean something, and a dollar sign before a name.
std::string unit_word(std::string_view text) {
  std::string word = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') word += '\\';
    if (c == '%' || c == '$') word += c;
    word += c;
  }
  return word + "\"";
}

}  // namespace

std::string control_script(const ServeOptions& options, const ServerPlan& plan,
                           const std::string& pyhost) {
  std::string variables;
  if (!options.envvars_script.empty()) {
    variables += fmt::format(". {}\n", shell_word(options.envvars_script));
  }
  if (options.embedded) {
    for (const auto& [name, value] : options.env) {
      variables += fmt::format("export {}={}\n", name, shell_word(value));
    }
  }
  return fmt::format(
      "#!/bin/sh\n"
      "# Written by pyhost setup. Starts and stops the server of this folder.\n"
      "root={}\n"
      "httpd={}\n"
      "pyhost={}\n"
      "{}"
      "command=${{1-}}\n"
      "[ $# = 0 ] || shift\n"
      "case $command in\n"
      "  start | stop | restart | graceful | graceful-stop)\n"
      "    exec \"$httpd\" -f \"$root/httpd.conf\" -k \"$command\" \"$@\"\n"
      "    ;;\n"
      "  configtest) exec \"$httpd\" -f \"$root/httpd.conf\" -t \"$@\" ;;\n"
      "  foreground) exec \"$httpd\" -f \"$root/httpd.conf\" -DFOREGROUND \"$@\" ;;\n"
      "  status) exec \"$pyhost\" status --server-root \"$root\" \"$@\" ;;\n"
      "  reload) exec \"$pyhost\" reload --server-root \"$root\" {} \"$@\" ;;\n"
      "  *)\n"
      "    echo \"usage: $0 start|stop|restart|graceful|graceful-stop|configtest|foreground|status|"
      "reload\" >&2\n"
      "    exit 2\n"
      "    ;;\n"
      "esac\n",
      shell_word(plan.server_root), shell_word(options.httpd_program), shell_word(pyhost),
      variables, kGroupName);
}

std::string systemd_unit(const ServeOptions& options, const ServerPlan& plan,
                         const std::string& user) {
  const std::string script = unit_word(fmt::format("{}/{}", plan.server_root, kControlScript));
  const auto stop = std::chrono::ceil<std::chrono::seconds>(options.stop_timeout).count();
  // httpd needs some of it for itself.
  constexpr int kMore = 10;
  return fmt::format(
      "# Written by pyhost setup. To be copied to /etc/systemd/system/.\n"
      "[Unit]\n"
      "Description=mod_pyhost in {}\n"
      "After=network-online.target\n"
      "Wants=network-online.target\n"
      "\n"
      "[Service]\n"
      "{}"
      "ExecStart={} foreground\n"
      "ExecReload={} graceful\n"
      "# httpd lets requests finish.\n"
      "KillSignal=SIGWINCH\n"
      "KillMode=mixed\n"
      "TimeoutStopSec={}\n"
      "Restart=on-failure\n"
      "# A worker that is killed for want of memory is replaced; the others go on.\n"
      "OOMPolicy=continue\n"
      "\n"
      "[Install]\n"
      "WantedBy=multi-user.target\n",
      plan.server_root, user.empty() ? std::string() : fmt::format("User={}\n", user), script,
      script, stop + kMore);
}

}  // namespace pyhost::serve
