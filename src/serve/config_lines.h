// The lines of a httpd configuration as they are written.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "serve/server_plan.h"

namespace pyhost::serve {

// Modules are loaded where the first line needs them. Not synchronised.
class ConfigLines {
 public:
  explicit ConfigLines(const ServerPlan& plan) : plan_(plan) {}

  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }

  void heading(std::string_view title) { line("\n# --- {} ---", title); }

  // mod_NAME, once. A module that is built into httpd has no file.
  void load(std::string_view name);

  const std::string& text() const noexcept { return text_; }

 private:
  const ServerPlan& plan_;
  std::set<std::string, std::less<>> loaded_;
  std::string text_;
};

// --- What each room writes; all are pure ---------------------------------------------------------

struct ConfigSource {
  const Site& site;
  const ServeOptions& options;
  const ServerPlan& plan;
};

void write_server(ConfigLines& lines, const ConfigSource& source);
void write_listening(ConfigLines& lines, const ConfigSource& source);
void write_logs(ConfigLines& lines, const ConfigSource& source);
void write_access(ConfigLines& lines, const ConfigSource& source);
void write_replies(ConfigLines& lines, const ConfigSource& source);
void write_application(ConfigLines& lines, const ConfigSource& source);
void write_other_urls(ConfigLines& lines, const ConfigSource& source);

// For access to one file, and to all of a folder.
void open_file(ConfigLines& lines, const std::string& path);
void open_folder(ConfigLines& lines, const std::string& folder);

}  // namespace pyhost::serve
