// The commands of pyhost as CLI11 knows them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/build_plugin_options.h"
#include "cli/check_options.h"
#include "cli/command_page.h"
#include "cli/operate_options.h"
#include "cli/serve_arguments.h"

namespace pyhost::cli {

// To be parsed once.
class Commands {
 public:
  Commands();
  Commands(const Commands&) = delete;
  Commands& operator=(const Commands&) = delete;

  CLI::App& app() noexcept { return app_; }
  // The command that was typed; the program itself when there is none.
  const CLI::App& typed() const;

  bool is_setup() const { return setup_->parsed(); }
  bool is_check() const { return check_command_->parsed() || explain_->parsed(); }
  bool is_build_plugin() const { return build_plugin_command_->parsed(); }
  bool is_operate() const { return operate_.command.has_value(); }

  const ServeArguments& serve() const noexcept { return serve_arguments_; }
  const ServeArguments& setup() const noexcept { return setup_arguments_; }
  const std::string& setup_folder() const noexcept { return setup_folder_; }
  const OperateOptions& operate() const noexcept { return operate_; }
  const CheckOptions& check() const noexcept { return check_; }
  const BuildPluginOptions& build_plugin() const noexcept { return build_plugin_; }

 private:
  void add_serve_commands();
  void add_operate_commands();
  void add_check_commands();
  void add_build_plugin_command();

  CLI::App app_;
  CLI::App* setup_ = nullptr;
  CLI::App* check_command_ = nullptr;
  CLI::App* explain_ = nullptr;
  CLI::App* build_plugin_command_ = nullptr;
  ServeArguments serve_arguments_;
  ServeArguments setup_arguments_;
  std::string setup_folder_;
  OperateOptions operate_;
  CheckOptions check_;
  BuildPluginOptions build_plugin_;
};

CommandPage page_of(const CLI::App& command);
std::vector<CommandPage> pages_below(const CLI::App& app);

}  // namespace pyhost::cli
