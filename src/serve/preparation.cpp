#include "serve/preparation.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>

#include "serve/listen_port.h"
#include "serve/module_folder.h"
#include "serve/option_rules.h"
#include "serve/paths.h"
#include "serve/reload_patterns.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> files_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    names.push_back(entry.path().filename());
  }
  std::ranges::sort(names);
  return names;
}

base::Result<> require_httpd(const ServeOptions& options) {
  if (access(options.httpd_program.c_str(), X_OK) != 0) {
    return base::fail(
        fmt::format("{} cannot be run; install apache2 or name httpd's program with --httpd",
                    options.httpd_program));
  }
  if (access((options.modules_dir + "/mod_mpm_event.so").c_str(), R_OK) != 0) {
    return base::fail(
        fmt::format("mod_mpm_event.so is not in {}; name the folder of httpd's modules with "
                    "--modules-dir",
                    options.modules_dir));
  }
  return {};
}

std::string log_file(const ServeOptions& options, const std::string& given, std::string_view name,
                     std::string_view file, const char* terminal) {
  if (!options.log_directory.empty() && !options.has(name)) {
    return fmt::format("{}/{}", options.log_directory, file);
  }
  if (given == "none") return {};
  return given == "-" ? terminal : given;
}

std::vector<std::string> reload_patterns(const ServeOptions& options, const Site& site) {
  if (options.embedded) return {};
  std::vector<std::string> patterns;
  if (options.reload) patterns = python_patterns(site.python_path);
  patterns.insert(patterns.end(), options.reload_on.begin(), options.reload_on.end());
  return patterns;
}

ServerPlan make_plan(const ServeOptions& options, const Site& site,
                     const std::optional<HttpdUser>& user, const std::string& products) {
  constexpr char kMimeTypes[] = "/etc/mime.types";
  const std::string& both = options.ssl_certificate;
  return {
      .tls_cert = both.empty() ? options.tls_cert : both + ".crt",
      .tls_key = both.empty() ? options.tls_key : both + ".key",
      .user = user ? user->name : "",
      .group = user ? user->group : "",
      .home = options.working_directory.empty() ? absolute_path(".") : options.working_directory,
      .module_file = products + "/" + kModuleFile,
      .modules_dir = options.modules_dir,
      .modules = files_in(options.modules_dir),
      .mime_types_file = access(kMimeTypes, R_OK) == 0 ? kMimeTypes : "",
      .access_log =
          log_file(options, options.access_log, "access-log", "access_log", kTerminalRequests),
      .error_log = log_file(options, options.error_log, "error-log", "error_log", kTerminalErrors),
      .reload_patterns = reload_patterns(options, site)};
}

// httpd's, where distributions put it, or whoever runs this has it.
base::Result<std::string> find_rotatelogs(const ServeOptions& options) {
  const char* path = getenv("PATH");
  std::istringstream folders(fmt::format("{}:/usr/bin:/usr/sbin:{}",
                                         fs::path(options.httpd_program).parent_path().string(),
                                         path == nullptr ? "" : path));
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string program = folder + "/rotatelogs";
    if (folder.starts_with('/') && access(program.c_str(), X_OK) == 0) return program;
  }
  return base::fail(fmt::format(
      "{} needs httpd's program rotatelogs, which is not in PATH; Debian has it in apache2-utils",
      options.named("rotate-logs")));
}

base::Result<> find_ports(const ServeOptions& options, ServerPlan& plan) {
  for (ListenAddress& address : plan.addresses) {
    if (address.is_adopted()) continue;
    PH_TRY(port, find_listen_port(options, address.host, address.port));
    address.port = port;
  }
  return {};
}

// Those of a service manager instead of any that would have to be opened.
base::Result<std::vector<ListenAddress>> addresses_of(const ServeOptions& options,
                                                      const ListeningSockets& sockets) {
  PH_TRY(activated, sockets.activated_addresses());
  if (activated.empty()) return listen_addresses(options);
  for (const char* name : {"bind", "host", "port"}) {
    if (!options.has(name)) continue;
    return base::fail(
        fmt::format("{} and the sockets of a service manager (LISTEN_FDS) exclude "
                    "each other",
                    options.named(name)));
  }
  return activated;
}

// Nothing when somebody asked to stop.
base::Result<std::optional<TrialReport>> trial_of(const ServeOptions& options,
                                                  const Preparation& found,
                                                  const std::string& products,
                                                  StopSignals& signals) {
  return try_application(found.site, options,
                         {.home = found.plan.home, .user = found.user, .plugin_folder = products},
                         signals);
}

base::Result<> heed(const TrialReport& report, const ServeOptions& options, Preparation& found) {
  if (found.site.callable.empty()) found.site.callable = report.callable;
  found.python_version = report.python_version;
  found.site.has_event_loop = report.is_asgi;
  if (report.is_asgi && options.embedded) {
    return base::fail(
        fmt::format("{} is an ASGI application, and those run in workers: leave {} out",
                    found.site.name(), options.named("embedded")));
  }
  if (report.home_is_open) return {};
  if (!options.working_directory.empty()) {
    return base::fail(fmt::format("{} {} is closed to the user who is to serve",
                                  options.named("working-directory"), options.working_directory));
  }
  found.plan.home.clear();
  return {};
}

}  // namespace

base::Result<std::optional<Preparation>> prepare(const ServeOptions& options,
                                                 Thoroughness thoroughness,
                                                 const ListeningSockets& sockets,
                                                 StopSignals& signals) {
  PH_TRY_VOID(check_options(options));
  Preparation found;
  PH_TRY(site, resolve(options));
  found.site = std::move(site);
  PH_TRY_VOID(require_httpd(options));
  PH_TRY(addresses, addresses_of(options, sockets));
  const bool adopts = std::ranges::any_of(addresses, &ListenAddress::is_adopted);
  std::string products;
  if (found.site.runs_python() || adopts) {
    PH_TRY(folder, find_module_folder(options.modules_dir));
    products = std::move(folder);
  }
  PH_TRY(user, choose_httpd_user(options));
  found.user = std::move(user);
  found.plan = make_plan(options, found.site, found.user, products);
  found.plan.addresses = std::move(addresses);
  if (options.rotate_logs) {
    PH_TRY(program, find_rotatelogs(options));
    found.plan.rotatelogs = std::move(program);
  }
  if (thoroughness == Thoroughness::everything) PH_TRY_VOID(find_ports(options, found.plan));
  const bool tries = thoroughness != Thoroughness::what_is_needed;
  if (tries || (found.site.runs_python() && found.site.callable.empty())) {
    PH_TRY(report, trial_of(options, found, products, signals));
    if (!report) return std::nullopt;
    PH_TRY_VOID(heed(*report, options, found));
  }
  return std::optional(std::move(found));
}

std::vector<std::string> hosts_of(const ServeOptions& options, const ServerPlan& plan) {
  std::vector<std::string> hosts{options.server_name};
  for (const ListenAddress& address : plan.addresses) {
    if (!address.is_unix()) hosts.push_back(address.host);
  }
  return hosts;
}

}  // namespace pyhost::serve
