#include "serve/setup.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "serve/exported_variables.h"
#include "serve/listen_port.h"
#include "serve/options_file.h"
#include "serve/paths.h"
#include "serve/preparation.h"
#include "serve/self_signed.h"
#include "serve/server_root.h"
#include "serve/setup_files.h"

namespace pyhost::serve {
namespace {

constexpr std::string_view kOurMark = "# Written by pyhost ";

// Somebody's own configuration is not written over.
base::Result<> require_own_folder(const std::string& folder) {
  std::ifstream stream(folder + "/httpd.conf");
  std::string line;
  if (!std::getline(stream, line) || line.starts_with(kOurMark)) return {};
  return base::fail(
      fmt::format("{}/httpd.conf was not written by pyhost; name another folder", folder));
}

base::Result<> check_for_setup(const ServeOptions& options) {
  for (const char* name : {"server-root", "pid-file", "print-config", "log-format"}) {
    if (!options.has(name)) continue;
    return base::fail(
        fmt::format("{} is for pyhost serve, and has no effect here", options.named(name)));
  }
  if (options.reload && options.embedded) {
    return base::fail(fmt::format("{} needs worker processes here: leave {} out",
                                  options.named("reload"), options.named("embedded")));
  }
  if (options.bind.empty() && options.port == 0) {
    return base::fail(
        fmt::format("{} 0: a server that is kept needs a port of its own", options.named("port")));
  }
  return {};
}

// Nobody looks at a terminal.
void log_to_files(ServerPlan& plan) {
  if (plan.error_log == kTerminalErrors) plan.error_log = plan.server_root + "/error_log";
  if (plan.access_log == kTerminalRequests) plan.access_log = plan.server_root + "/access_log";
}

std::string own_user() {
  if (geteuid() == 0) return {};
  const passwd* entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : std::to_string(geteuid());
}

std::string own_program() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? "pyhost" : path.string();
}

base::Result<> write_files(const ServeOptions& options, const ServerRoot& root,
                           Preparation& found) {
  ServerPlan& plan = found.plan;
  plan.server_root = root.path();
  plan.written_by = "pyhost setup";
  log_to_files(plan);
  if (options.tls_self_signed) {
    plan.tls_key = root.path() + "/self-signed";
    plan.tls_cert = plan.tls_key + ".crt";
    PH_TRY_VOID(make_self_signed(plan.tls_key, hosts_of(options, plan)));
  }
  PH_TRY_VOID(root.write("httpd.conf", render_config(found.site, options, plan)));
  PH_TRY_VOID(root.write(kControlScript, control_script(options, plan, own_program())));
  PH_TRY_VOID(root.write(kSystemdUnit, systemd_unit(options, plan, own_user())));
  const std::string script = fmt::format("{}/{}", root.path(), kControlScript);
  constexpr mode_t kExecutable = 0700;
  if (chmod(script.c_str(), kExecutable) == 0) return {};
  return base::fail(fmt::format("{} cannot be made executable", script));
}

base::Result<int> run_setup(const std::string& folder, const ServeOptions& options) {
  PH_TRY_VOID(check_for_setup(options));
  PH_TRY_VOID(take_exported_variables(options));
  for (const std::string& text : options.bind) {
    if (!text.starts_with(kUnix)) continue;
    return base::fail(
        fmt::format("{} {}: only pyhost serve can open it for httpd", options.named("bind"), text));
  }
  StopSignals signals;
  PH_TRY_VOID(require_own_folder(folder));
  PH_TRY(found, prepare(options, Thoroughness::application, ListeningSockets(), signals));
  if (!found) return 1;
  PH_TRY(root, ServerRoot::take("DIR", folder));
  PH_TRY_VOID(write_files(options, root, *found));
  fmt::print(
      "{0}/httpd.conf serves {1}; {0}/{2} start starts it, and {0}/{3} is a unit for systemd\n",
      folder, found->site.name(), kControlScript, kSystemdUnit);
  return 0;
}

}  // namespace

int set_up(SetupOptions options) {
  const auto exit_code = read_options_file(options.serve).and_then([&] {
    return run_setup(absolute_path(options.folder), options.serve);
  });
  if (exit_code) return *exit_code;
  if (!exit_code.error().sentence.empty()) {
    fmt::print(stderr, "pyhost: {}\n", exit_code.error().sentence);
  }
  return 1;
}

}  // namespace pyhost::serve
