#include "serve/serve.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/scope_exit.h"
#include "control/operator_request.h"
#include "os/activation.h"
#include "os/service_manager.h"
#include "serve/config_words.h"
#include "serve/exported_variables.h"
#include "serve/file_watch.h"
#include "serve/foreground.h"
#include "serve/front_size.h"
#include "serve/httpd_process.h"
#include "serve/listen_port.h"
#include "serve/listening_sockets.h"
#include "serve/options_file.h"
#include "serve/orphans.h"
#include "serve/preparation.h"
#include "serve/self_signed.h"
#include "serve/server_root.h"
#include "serve/service_notices.h"
#include "serve/setup.h"
#include "serve/stop_signals.h"

namespace pyhost::serve {
namespace {

constexpr char kTemporaryRoot[] = "/tmp/pyhost-XXXXXX";
constexpr char kConfigFile[] = "httpd.conf";

bool is_terminal(int fd) {
  const char* terminal = getenv("TERM");
  return isatty(fd) == 1 && getenv("NO_COLOR") == nullptr &&
         (terminal == nullptr || std::string_view(terminal) != "dumb");
}

LogView log_view(const ServeOptions& options) {
  constexpr std::string_view kCoarse = " emerg alert crit error warn ";
  const bool coarse = kCoarse.find(fmt::format(" {} ", options.log_level)) != kCoarse.npos;
  return {.style = log_style(options.log_format),
          .notices = !coarse,
          .own_notices = options.reload,
          .colours = is_terminal(STDERR_FILENO)};
}

// A path as somebody who is in the current folder has it.
std::string short_path(const std::string& path) {
  std::error_code error;
  const std::string folder = std::filesystem::current_path(error).string() + "/";
  return path.starts_with(folder) ? path.substr(folder.size()) : path;
}

std::string processes_of(const ServeOptions& options, const Site& site) {
  const bool is_asgi = site.has_event_loop;
  const auto places =
      places_of_worker(options, is_asgi ? Workers::with_event_loops : Workers::with_threads);
  const auto each =
      fmt::format("{} {}{}", places, is_asgi ? "connection" : "thread", places == 1 ? "" : "s");
  if (options.embedded) return fmt::format("in httpd with {}", each);
  const int processes = std::max(options.processes, 1);
  return fmt::format("{} process{} of {}{}", processes, processes == 1 ? "" : "es", each,
                     is_asgi ? " (ASGI)" : "");
}

std::string url_of(const ServeOptions& options, const Preparation& found) {
  const ListenAddress& address = found.plan.addresses.front();
  const bool two_ports = options.https_port != 0;
  if (address.is_unix()) return kUnix.data() + address.unix_path;
  const std::string host = address.host.empty() ? "localhost" : address.host;
  return fmt::format("{}://{}{}", found.plan.speaks_tls() ? "https" : "http",
                     host_and_port(host, two_ports ? options.https_port : address.port),
                     found.site.mount);
}

std::string greeting(const ServeOptions& options, const Preparation& found) {
  std::string text =
      fmt::format("Serving {} at {}", short_path(found.site.name()), url_of(options, found));
  if (found.site.runs_python()) {
    text += fmt::format(" with Python {}", found.python_version);
    if (!found.site.python_home.empty()) {
      text += fmt::format(" of {}", short_path(found.site.python_home));
    }
    text += ", " + processes_of(options, found.site);
  }
  return isatty(STDOUT_FILENO) == 1 ? text + "; Ctrl-C stops it" : text;
}

base::Result<std::optional<FileWatch>> watch_for_reload(const ServeOptions& options,
                                                        const Site& site) {
  if (!options.reload || !options.embedded || !site.runs_python()) return std::nullopt;
  PH_TRY(watch, FileWatch::start(site.python_path, site.path));
  return std::optional<FileWatch>(std::move(watch));
}

base::Result<int> print_config(const ServeOptions& options, const ListeningSockets& sockets,
                               StopSignals& signals) {
  PH_TRY(found, prepare(options, Thoroughness::what_is_needed, sockets, signals));
  if (!found) return 0;
  found->plan.server_root = options.server_root.empty() ? kTemporaryRoot : options.server_root;
  if (options.server_root.empty()) {
    found->plan.written_by += fmt::format(
        ".\n# {} is a folder that is made then; name one with --server-root", kTemporaryRoot);
  }
  if (options.tls_self_signed) found->plan.tls_cert = found->plan.server_root + "/self-signed";
  fmt::print("{}", render_config(found->site, options, found->plan));
  return 0;
}

// What the kernel takes as the path of a socket is short.
base::Result<> require_room_for_sockets(const ServeOptions& options, const Preparation& found,
                                        const std::string& root) {
  constexpr std::size_t kPathMax = 80;
  if (root.size() <= kPathMax || options.embedded || !found.site.runs_python()) return {};
  return base::fail(
      fmt::format("{} is too long a path for the sockets of worker processes; name one of at most "
                  "{} bytes with --server-root",
                  root, kPathMax));
}

base::Result<ServerRoot> make_root(const ServeOptions& options, Preparation& found) {
  PH_TRY(root, options.server_root.empty()
                   ? ServerRoot::make_temporary(found.user)
                   : ServerRoot::take(options.named("server-root"), options.server_root));
  PH_TRY_VOID(require_room_for_sockets(options, found, root.path()));
  found.plan.server_root = root.path();
  if (options.tls_self_signed) {
    found.plan.tls_key = root.path() + "/self-signed";
    found.plan.tls_cert = found.plan.tls_key + ".crt";
    PH_TRY_VOID(make_self_signed(found.plan.tls_key, hosts_of(options, found.plan)));
  }
  PH_TRY_VOID(root.write(kConfigFile, render_config(found.site, options, found.plan)));
  return root;
}

base::Result<> write_pid(const ServeOptions& options) {
  if (options.pid_file.empty()) return {};
  std::ofstream stream(options.pid_file, std::ios::trunc);
  stream << getpid() << '\n';
  stream.close();
  if (stream) return {};
  return base::fail(
      fmt::format("{} {} cannot be written", options.named("pid-file"), options.pid_file));
}

base::Result<> open_sockets(const ServeOptions& options, ServerPlan& plan,
                            ListeningSockets& sockets) {
  for (ListenAddress& address : plan.addresses) {
    if (address.is_unix() && address.fd < 0) {
      PH_TRY_VOID(sockets.open(options.named("bind"), address));
    }
  }
  return {};
}

ForegroundPlan foreground_plan(const ServeOptions& options, const Preparation& found) {
  const std::string& root = found.plan.server_root;
  const bool has_workers = found.site.runs_python() && !options.embedded;
  return {.log_view = log_view(options),
          .httpd_name = std::filesystem::path(options.httpd_program).filename(),
          .pid_file = root + "/httpd.pid",
          .greeting = greeting(options, found),
          .graceful_time = options.stop_timeout,
          .supervisor = has_workers ? control::operator_socket_in(root) : ""};
}

base::Result<> require_log_files(const ServeOptions& options) {
  const bool has_file = options.error_log != "-" || !options.log_directory.empty() ||
                        (options.access_log != "-" && options.access_log != "none");
  if (!options.rotate_logs || has_file) return {};
  return base::fail(
      fmt::format("{} is for logs that are files; name one with --log-directory, "
                  "--error-log or --access-log",
                  options.named("rotate-logs")));
}

base::Result<int> run(const ServeOptions& options) {
  PH_TRY(manager, os::ServiceManager::take_from_environment());
  PH_TRY(activated, os::take_activated_sockets());
  PH_TRY_VOID(require_log_files(options));
  PH_TRY_VOID(take_exported_variables(options));
  ListeningSockets sockets(std::move(activated));
  StopSignals signals;
  if (options.print_config) return print_config(options, sockets, signals);
  PH_TRY(found, prepare(options, Thoroughness::everything, sockets, signals));
  if (!found) return 0;
  PH_TRY(root, make_root(options, *found));
  PH_TRY(watch, watch_for_reload(options, found->site));
  PH_TRY_VOID(write_pid(options));
  const base::ScopeExit forget_pid([&options] {
    if (!options.pid_file.empty()) unlink(options.pid_file.c_str());
  });
  PH_TRY_VOID(open_sockets(options, found->plan, sockets));
  adopt_orphans();
  PH_TRY(httpd, HttpdProcess::start(options.httpd_program, root.path() + "/" + kConfigFile,
                                    options.embedded ? options.env : Pairs(),
                                    ListeningSockets::passed(found->plan.addresses)));
  sockets.let_go();
  return Foreground(std::move(httpd), signals, watch ? &*watch : nullptr,
                    ServiceNotices(std::move(manager)), foreground_plan(options, *found))
      .stay();
}

// `pyhost setup` under the name that mod_wsgi-express has for it.
base::Result<int> set_up_only(ServeOptions options) {
  if (options.server_root.empty()) {
    return base::fail(
        fmt::format("{} needs a folder to write to: --server-root", options.named("setup-only")));
  }
  std::string folder = std::move(options.server_root);
  options.places.erase("server-root");
  return set_up({.folder = std::move(folder), .serve = std::move(options)});
}

}  // namespace

int serve(ServeOptions options) {
  const auto exit_code = read_options_file(options).and_then(
      [&] { return options.setup_only ? set_up_only(options) : run(options); });
  if (exit_code) return *exit_code;
  if (!exit_code.error().sentence.empty()) {
    fmt::print(stderr, "pyhost: {}\n", exit_code.error().sentence);
  }
  return 1;
}

}  // namespace pyhost::serve
