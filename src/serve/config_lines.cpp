#include "serve/config_lines.h"

#include <algorithm>
#include <filesystem>

#include "serve/config_words.h"

namespace pyhost::serve {

void ConfigLines::load(std::string_view name) {
  if (!loaded_.emplace(name).second) return;
  const std::string file = fmt::format("mod_{}.so", name);
  if (std::ranges::find(plan_.modules, file) == plan_.modules.end()) return;
  line("LoadModule {}_module {}", name, config_word(plan_.modules_dir + "/" + file));
}

bool ServerPlan::adopts_sockets() const noexcept {
  return std::ranges::any_of(addresses, &ListenAddress::is_adopted);
}

void open_file(ConfigLines& lines, const std::string& path) {
  const std::filesystem::path file(path);
  lines.line("<Directory {}>", pattern_word(file.parent_path().string()));
  lines.line("  <Files {}>", pattern_word(file.filename().string()));
  lines.line("    Require all granted");
  lines.line("  </Files>");
  lines.line("</Directory>");
}

void open_folder(ConfigLines& lines, const std::string& folder) {
  lines.line("<Directory {}>", pattern_word(folder));
  lines.line("  Require all granted");
  lines.line("</Directory>");
}

std::string render_config(const Site& site, const ServeOptions& options, const ServerPlan& plan) {
  ConfigLines lines(plan);
  const ConfigSource source{site, options, plan};
  write_server(lines, source);
  write_listening(lines, source);
  write_logs(lines, source);
  write_access(lines, source);
  write_replies(lines, source);
  if (site.runs_python()) write_application(lines, source);
  write_other_urls(lines, source);
  if (!options.includes.empty()) lines.heading("Yours");
  for (const std::string& file : options.includes) lines.line("Include {}", pattern_word(file));

  std::string head = fmt::format("# Written by {}.\n", plan.written_by);
  if (lines.text().find(kDollar) != std::string::npos) {
    head += "\n# httpd has no other way to write a dollar sign before a brace.\nDefine DOLLAR $\n";
  }
  return head + lines.text();
}

}  // namespace pyhost::serve
