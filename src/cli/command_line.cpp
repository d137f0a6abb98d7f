#include "cli/command_line.h"

#include <CLI/CLI.hpp>

namespace pyhost::cli {
namespace {

using Command = control::OperatorRequest::Command;
using serve::ServeOptions;

constexpr char kVersionText[] = "pyhost " PYHOST_VERSION;

void add_listening_options(CLI::App& serve, ServeOptions& options) {
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
}

void add_python_options(CLI::App& serve, ServeOptions& options) {
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
}

void add_server_options(CLI::App& serve, ServeOptions& options) {
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
  constexpr int kGracefulMax = 3600;
  serve
      .add_option("--graceful-timeout", options.graceful_seconds,
                  "Seconds for running requests when pyhost is told to stop; a second Ctrl-C does "
                  "not wait")
      ->capture_default_str()
      ->check(CLI::Range(0, kGracefulMax))
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

void add_serve_options(CLI::App& serve, ServeOptions& options) {
  serve
      .add_option("TARGET", options.target,
                  "A script file, package.module:callable, or a folder of static files")
      ->required();
  serve.add_option("--callable", options.callable,
                   "Name of the application in the script (default: application)");
  add_listening_options(serve, options);
  add_python_options(serve, options);
  add_server_options(serve, options);
}

// A command for the process groups of a running httpd.
CLI::App& add_operate_command(CLI::App& app, Command kind, const char* description,
                              OperateOptions& options) {
  CLI::App& command = *app.add_subcommand(std::string(name_of(kind)), description);
  auto* socket = command.add_option(
      "--socket", options.socket,
      "The supervisor's socket: WSGISocketPrefix with .control behind it (default: " +
          operator_socket({}) + ")");
  command
      .add_option("--server-root", options.server_root,
                  "The folder of httpd's run-time files (DefaultRuntimeDir), where the socket is "
                  "without WSGISocketPrefix")
      ->excludes(socket);
  command.callback([&options, kind] { options.command = kind; });
  return command;
}

void add_operate_commands(CLI::App& app, OperateOptions& options) {
  constexpr char kGroup[] = "The name of the process group";
  CLI::App& status = add_operate_command(app, Command::status,
                                         "Show the process groups of a running httpd", options);
  status.add_option("GROUP", options.group, "Only this process group");
  status.add_flag("--json", options.json, "Show them as JSON");
  for (const auto& [kind, description] :
       {std::pair(Command::reload, "Replace the workers of a process group one after the other"),
        std::pair(Command::stop,
                  "Stop a process group: its requests are answered 503 until it is started"),
        std::pair(Command::start, "Start a process group that was stopped")}) {
    CLI::App& command = add_operate_command(app, kind, description, options);
    command.add_option("GROUP", options.group, kGroup)->required();
    command.add_flag("!--no-wait", options.wait, "Do not wait until it is done");
  }
}

CLI::App& add_check_command(CLI::App& app, const char* name, const char* description,
                            CheckOptions& options) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.add_option("-f,--config", options.config_file,
                     "httpd's configuration file (default: the one that it takes by itself)");
  command.add_option("-D,--define", options.defines, "A name to define, as for httpd; repeatable")
      ->expected(1)
      ->take_all();
  command.add_option(
      "--envvars", options.envvars,
      "A shell file of variables that the configuration uses (default: envvars beside "
      "it, as for apachectl)");
  command.add_option("--httpd", options.httpd_program, "httpd's program")->capture_default_str();
  command.add_flag("--json", options.json, "Say it as JSON");
  return command;
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
  OperateOptions operate;
  add_operate_commands(app, operate);
  CheckOptions check;
  check.httpd_program = PYHOST_HTTPD;
  const CLI::App& checks = add_check_command(
      app, "check", "Read httpd's configuration: who serves what, and what is wrong with it",
      check);
  CLI::App& explain = add_check_command(app, "explain", "Say what answers a URL, and why", check);
  explain.add_option("URL", check.url, "http://host/path, or /path")->required();

  // The library reports by exception, and prints help and mistakes itself.
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    constexpr int kUsageError = 2;
    const int code = app.exit(error);
    return {.exit_code = code == 0 ? 0 : kUsageError};
  }
  if (operate.command) return {.operate = operate};
  if (checks.parsed() || explain.parsed()) return {.check = check};
  return {.serve = options};
}

}  // namespace pyhost::cli
