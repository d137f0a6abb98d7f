#include "serve/serve.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <system_error>

#include "plugin/plugin_loader.h"
#include "serve/config_text.h"
#include "serve/file_watch.h"
#include "serve/foreground.h"
#include "serve/httpd_process.h"
#include "serve/httpd_user.h"
#include "serve/listen_port.h"
#include "serve/server_root.h"
#include "serve/stop_signals.h"
#include "serve/target_check.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

constexpr char kModuleFile[] = "mod_pyhost.so";
constexpr char kTemporaryRoot[] = "/tmp/pyhost-XXXXXX";

// What lies beside this program when it was built, and in httpd's folder or in one of its own when
// it was installed.
base::Result<std::string> folder_of_products(const ServeOptions& options, const Site& site) {
  if (!site.runs_python()) return std::string();
  const fs::path here = plugin::folder_of_this_object();
  const fs::path installed = (here / PYHOST_MODULES_FROM_BINDIR).lexically_normal();
  for (const fs::path& folder : {here, fs::path(options.modules_dir), installed}) {
    if (access((folder / kModuleFile).c_str(), R_OK) == 0) return folder.string();
  }
  return base::fail(fmt::format("{} is in none of {}, {} and {}", kModuleFile, here.string(),
                                options.modules_dir, installed.string()));
}

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

ServerSettings settings_for(const ServeOptions& options, const std::optional<HttpdUser>& user,
                            const std::string& products) {
  constexpr char kMimeTypes[] = "/etc/mime.types";
  return {.server_root = options.server_root.empty()
                             ? kTemporaryRoot
                             : fs::absolute(options.server_root).lexically_normal().string(),
          .host = options.host,
          .port = options.port,
          .threads = options.threads,
          .application_group = options.application_group,
          .log_level = options.log_level,
          .user = user ? user->name : "",
          .group = user ? user->group : "",
          .module_file = products + "/" + kModuleFile,
          .modules_dir = options.modules_dir,
          .modules = files_in(options.modules_dir),
          .mime_types_file = access(kMimeTypes, R_OK) == 0 ? kMimeTypes : ""};
}

base::Result<std::optional<FileWatch>> watch_for_reload(const ServeOptions& options,
                                                        const Site& site) {
  if (!options.reload || !site.runs_python()) return std::nullopt;
  PH_TRY(watch, FileWatch::start(site.python_path, site.path));
  return std::optional<FileWatch>(std::move(watch));
}

base::Result<int> run(const ServeOptions& options) {
  PH_TRY(site, resolve(options));
  PH_TRY_VOID(require_httpd(options));
  PH_TRY(products, folder_of_products(options, site));
  PH_TRY(user, choose_httpd_user());
  ServerSettings settings = settings_for(options, user, products);
  if (options.print_config) {
    fmt::print("{}", render_config(site, settings));
    return 0;
  }

  StopSignals signals;
  PH_TRY(port, find_listen_port(options.host, options.port));
  settings.port = port;
  const Verdict verdict = check_target(site,
                                       {.application_group = options.application_group,
                                        .threads = options.threads,
                                        .user = user,
                                        .plugin_folder = products},
                                       signals);
  if (verdict != Verdict::good) return verdict == Verdict::interrupted ? 0 : 1;

  PH_TRY(root, ServerRoot::make(options.server_root, user));
  settings.server_root = root.path();
  PH_TRY_VOID(root.write("httpd.conf", render_config(site, settings)));
  PH_TRY(watch, watch_for_reload(options, site));
  PH_TRY(httpd, HttpdProcess::start(options.httpd_program, root.path() + "/httpd.conf"));
  const std::string host = options.host.find(':') == std::string::npos
                               ? options.host
                               : fmt::format("[{}]", options.host);
  return Foreground(std::move(httpd), signals, watch ? &*watch : nullptr,
                    {.pid_file = root.path() + "/httpd.pid",
                     .greeting = fmt::format("Serving {} at http://{}:{}{}", options.target, host,
                                             port, site.mount),
                     .graceful_time = std::chrono::seconds(options.graceful_seconds)})
      .stay();
}

}  // namespace

int serve(const ServeOptions& options) {
  const auto exit_code = run(options);
  if (exit_code) return *exit_code;
  fmt::print(stderr, "pyhost: {}\n", exit_code.error().sentence);
  return 1;
}

}  // namespace pyhost::serve
