#include "cli/commands.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "serve/serve_options.h"

namespace pyhost::cli {
namespace {

using Command = control::OperatorRequest::Command;

constexpr char kVersionText[] = "pyhost " PYHOST_VERSION;
constexpr char kOptions[] = "Options";
constexpr char kHelp[] = "Help";

CLI::App& add_command(CLI::App& app, const std::string& name, const char* description) {
  CLI::App& command = *app.add_subcommand(name, description);
  command.get_help_ptr()->description("Show this help")->group(kHelp);
  return command;
}

// A command for the process groups of a running httpd.
CLI::App& add_operate_command(CLI::App& app, Command kind, const char* description,
                              OperateOptions& options) {
  CLI::App& command = add_command(app, std::string(name_of(kind)), description);
  auto* socket = command.add_option(
      "--socket", options.socket,
      "The supervisor's socket: WSGISocketPrefix with .control behind it (default: " +
          system_socket() + ", or that of the pyhost serve that runs)");
  socket->type_name("FILE");
  command
      .add_option("--server-root", options.server_root,
                  "The folder of httpd's run-time files (DefaultRuntimeDir), where the socket is "
                  "without WSGISocketPrefix; that of pyhost serve, if it has a name")
      ->type_name("DIR")
      ->excludes(socket);
  command.callback([&options, kind] { options.command = kind; });
  return command;
}

CLI::App& add_check_command(CLI::App& app, const char* name, const char* description,
                            CheckOptions& options) {
  CLI::App& command = add_command(app, name, description);
  command
      .add_option("-f,--config", options.config_file,
                  "httpd's configuration file (default: the one that it takes by itself)")
      ->type_name("FILE");
  command.add_option("-D,--define", options.defines, "A name to define, as for httpd; repeatable")
      ->expected(1)
      ->take_all()
      ->type_name("NAME");
  command
      .add_option("--envvars", options.envvars,
                  "A shell file of variables that the configuration uses (default: envvars beside "
                  "it, as for apachectl)")
      ->type_name("FILE");
  command
      .add_option("--httpd", options.httpd_program,
                  "httpd's program (default: " + options.httpd_program + ")")
      ->type_name("FILE");
  command.add_flag("--json", options.json, "Say it as JSON");
  return command;
}

OptionEntry entry_of(const CLI::Option& option) {
  OptionEntry entry;
  entry.help = option.get_description();
  entry.heading = option.get_group();
  if (option.get_positional()) {
    entry.metavar = option.get_name();
    return entry;
  }
  for (const std::string& name : option.get_snames()) entry.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) entry.names.push_back("--" + name);
  if (option.get_items_expected_max() != 0) entry.metavar = option.get_type_name();
  entry.takes_path = entry.metavar == "FILE" || entry.metavar == "DIR";
  const serve::ServeOption* known =
      entry.names.empty() ? nullptr : serve::find_option(entry.names.front().substr(2));
  if (known != nullptr && known->heading == entry.heading) {
    std::istringstream choices{std::string(known->choices)};
    for (std::string choice; choices >> choice;) entry.choices.push_back(choice);
  }
  return entry;
}

}  // namespace

Commands::Commands() : app_("Runs Python WSGI applications in Apache httpd", "pyhost") {
  app_.set_version_flag("--version", kVersionText)->description("Show the version")->group(kHelp);
  app_.get_help_ptr()->description("Show this help")->group(kHelp);
  app_.require_subcommand(1);
  add_serve_commands();
  add_operate_commands();
  add_check_commands();
  add_build_plugin_command();
}

void Commands::add_serve_commands() {
  serve_arguments_.add_to(add_command(
      app_, "serve", "Serve an application, or a folder of web pages, with a httpd of its own"));
  setup_ =
      &add_command(app_, "setup", "Write the files of such a server into a folder, to be kept");
  setup_
      ->add_option("DIR", setup_folder_, "Where httpd.conf, pyhostctl and pyhost.service are to be")
      ->required();
  setup_arguments_.add_to(*setup_);
}

void Commands::add_operate_commands() {
  constexpr char kGroup[] = "The name of the process group";
  constexpr double kShortestInterval = 0.1, kLongestInterval = 3600;
  CLI::App& status = add_operate_command(
      app_, Command::status,
      "Show the process groups of a running httpd. Ends with 0 when all are serving, 1 when one is "
      "degraded or starting, 3 when one is failing or stopped, and 4 when nobody could be asked",
      operate_);
  status.add_option("GROUP", operate_.group, "Only this process group");
  status.add_flag("--json", operate_.json, "Show them as JSON");
  CLI::Option* watch = status.add_flag("--watch", operate_.watch,
                                       "Show them again and again, with what has come in between");
  status
      .add_option("--interval", operate_.interval, "Seconds from one look to the next (default: 2)")
      ->check(CLI::Range(kShortestInterval, kLongestInterval))
      ->needs(watch)
      ->type_name("SECONDS");
  CLI::App& metrics = add_operate_command(
      app_, Command::metrics,
      "Show what is counted of process groups, for Prometheus, or reset what applications count",
      operate_);
  metrics.add_option("GROUP", operate_.group, "Only this process group");
  metrics.add_flag("--openmetrics", operate_.openmetrics, "Show it as OpenMetrics 1.0");
  CLI::App& dump = add_operate_command(
      app_, Command::dump, "Show what the threads of a process group's workers do", operate_);
  dump.add_option("GROUP", operate_.group, kGroup)->required();
  dump.add_flag("--json", operate_.json, "Show it as JSON");
  CLI::App& reset =
      add_command(metrics, "reset", "Make what applications of a group measure begin anew");
  reset.add_option("GROUP", operate_.group, kGroup)->required();
  // The options of the command may stand behind it as well.
  reset.fallthrough();
  metrics.callback([this, &reset] {
    operate_.command = reset.parsed() ? Command::reset_metrics : Command::metrics;
  });
  for (const auto& [kind, description] :
       {std::pair(Command::reload, "Replace the workers of a process group one after the other"),
        std::pair(Command::stop,
                  "Stop a process group: its requests are answered 503 until it is started"),
        std::pair(Command::start, "Start a process group that was stopped")}) {
    CLI::App& command = add_operate_command(app_, kind, description, operate_);
    command.add_option("GROUP", operate_.group, kGroup)->required();
    command.add_flag("!--no-wait", operate_.wait, "Do not wait until it is done");
  }
}

void Commands::add_check_commands() {
  check_.httpd_program = PYHOST_HTTPD;
  check_command_ = &add_check_command(
      app_, "check", "Read httpd's configuration: who serves what, and what is wrong with it",
      check_);
  explain_ = &add_check_command(app_, "explain", "Say what answers a URL, and why", check_);
  explain_->add_option("URL", check_.url, "http://host/path, or /path")->required();
}

void Commands::add_build_plugin_command() {
  build_plugin_command_ = &add_command(app_, "build-plugin",
                                       "Build the plugin for a Python that no package has one for");
  build_plugin_command_
      ->add_option("PYTHON", build_plugin_.python, "The interpreter, that of a virtualenv too")
      ->required()
      ->type_name("FILE");
  build_plugin_command_
      ->add_option("--output", build_plugin_.output,
                   "Folder to put it in (default: that of the module, where it is looked for)")
      ->type_name("DIR");
  build_plugin_command_
      ->add_option("--source", build_plugin_.source,
                   "The source of mod_pyhost (default: what was installed with it, or the "
                   "checkout that this program was built in)")
      ->type_name("DIR");
}

const CLI::App& Commands::typed() const {
  const auto parsed = app_.get_subcommands();
  return parsed.empty() ? app_ : *parsed.front();
}

CommandPage page_of(const CLI::App& command) {
  CommandPage page{.name = command.get_parent() == nullptr ? "" : command.get_name(),
                   .summary = command.get_description()};
  for (const CLI::Option* option : command.get_options({})) {
    const bool is_hidden = option->get_group().empty();
    if (is_hidden) continue;
    OptionEntry entry = entry_of(*option);
    auto& place = option->get_positional() ? page.words : page.options;
    place.push_back(std::move(entry));
  }
  const auto is_plain = [](const OptionEntry& entry) { return entry.heading != kHelp; };
  std::stable_partition(page.options.begin(), page.options.end(), is_plain);
  return page;
}

std::vector<CommandPage> pages_below(const CLI::App& app) {
  std::vector<CommandPage> pages;
  for (const CLI::App* command : app.get_subcommands({})) pages.push_back(page_of(*command));
  return pages;
}

}  // namespace pyhost::cli
