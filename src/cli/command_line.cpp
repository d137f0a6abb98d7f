#include "cli/command_line.h"

#include <CLI/CLI.hpp>

namespace pyhost::cli {
namespace {

constexpr char kVersionText[] = "pyhost " PYHOST_VERSION;

void add_serve_options(CLI::App& serve, ServeOptions& options) {
  serve
      .add_option("TARGET", options.target,
                  "A script file, package.module:callable, or a folder of static files")
      ->required();
  serve.add_option("--callable", options.callable,
                   "Name of the application in the script (default: application)");

  constexpr char kListening[] = "Listening";
  serve.add_option("--host", options.host, "Address to listen on")
      ->capture_default_str()
      ->group(kListening);
  serve.add_option("--port", options.port, "Port to listen on; 0 takes any free one")
      ->capture_default_str()
      ->check(CLI::Range(0, 65535))
      ->group(kListening);
  serve.add_option("--mount", options.mount, "URL path of the application")
      ->capture_default_str()
      ->group(kListening);
  serve
      .add_option("--static", options.statics,
                  "URL=DIR: serve the files of a folder without Python; repeatable")
      ->expected(1)
      ->take_all()
      ->group(kListening);

  constexpr char kPython[] = "Python";
  serve.add_option("--python-home", options.python_home, "A virtualenv")->group(kPython);
  serve
      .add_option("--python-path", options.python_path,
                  "Folder to search for modules; repeatable (default: the script's folder, or the "
                  "current one for package.module:callable)")
      ->expected(1)
      ->take_all()
      ->group(kPython);
  serve
      .add_option("--application-group", options.application_group, "The Python interpreter to use")
      ->capture_default_str()
      ->group(kPython);
  constexpr int kThreadsMax = 1000;
  serve.add_option("--threads", options.threads, "Requests served at the same time")
      ->capture_default_str()
      ->check(CLI::Range(1, kThreadsMax))
      ->group(kPython);
  serve.add_flag("--reload", options.reload, "Restart when Python files change")->group(kPython);

  constexpr char kServer[] = "The server";
  serve
      .add_option("--log-level", options.log_level,
                  "How much httpd logs (default: warn, and info for the module)")
      ->check(CLI::IsMember({"emerg", "alert", "crit", "error", "warn", "notice", "info", "debug",
                             "trace1", "trace2", "trace3", "trace4", "trace5", "trace6", "trace7",
                             "trace8"}))
      ->group(kServer);
  serve
      .add_option("--server-root", options.server_root,
                  "Folder for httpd's own files, which stays (default: a temporary one)")
      ->group(kServer);
  serve.add_flag("--print-config", options.print_config, "Print httpd's configuration and exit")
      ->group(kServer);
  serve.add_option("--httpd", options.httpd_program, "httpd's program")
      ->capture_default_str()
      ->group(kServer);
  serve.add_option("--modules-dir", options.modules_dir, "Folder of httpd's modules")
      ->capture_default_str()
      ->group(kServer);
}

}  // namespace

CommandLine parse_command_line(int argc, char** argv) {
  ServeOptions options;
  options.httpd_program = PYHOST_HTTPD;
  options.modules_dir = PYHOST_MODULES_DIR;

  CLI::App app("Runs Python WSGI applications in Apache httpd.", "pyhost");
  app.set_version_flag("--version", kVersionText);
  app.require_subcommand(1);
  CLI::App& serve =
      *app.add_subcommand("serve", "Serve an application or a folder with a httpd of its own");
  add_serve_options(serve, options);

  // The library reports by exception, and prints help and mistakes itself.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int kUsageError = 2;
    const int code = app.exit(error);
    return {.exit_code = code == 0 ? 0 : kUsageError};
  }
  return {.serve = options};
}

}  // namespace pyhost::cli
