#include "serve/config_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/thread.h"
#include "settings/global_name.h"

namespace pyhost::serve {
namespace {

namespace fs = std::filesystem;

// What httpd would take for the start of a variable is written with a variable.
constexpr std::string_view kVariable = "${";
constexpr std::string_view kDollar = "${DOLLAR}";

// What lies in folders of files and is nobody's business: hidden files, source and byte code of
// applications, what they keep their settings and data in, what editors leave behind.
constexpr char kPrivateNames[] =
    R"(\.(?!well-known(?:/|$))|__pycache__(?:/|$)|)"
    R"([^/]*(?:~|\.(?:py[cdowix]?|wsgi|ini|cfg|toml|env|sqlite3?|db|sql|pem|key|bak|swp))(?:/|$))";

class ConfigWriter {
 public:
  ConfigWriter(const Site& site, const ServerSettings& settings)
      : site_(site), settings_(settings) {}

  std::string write() {
    write_server();
    write_modules();
    write_processes();
    write_logs();
    write_access();
    if (site_.runs_python()) write_application();
    if (site_.form == TargetForm::folder) write_files();
    write_statics();

    std::string head = "# Written by pyhost serve at each start.\n";
    if (text_.find(kDollar) != std::string::npos) {
      head +=
          "\n# httpd has no other way to write a dollar sign before a brace.\nDefine DOLLAR $\n";
    }
    return head + text_;
  }

 private:
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
  }

  void heading(std::string_view title) { line("\n# --- {} ---", title); }

  void write_server() {
    heading("The server");
    const bool is_ipv6 = settings_.host.find(':') != std::string::npos;
    const std::string host = is_ipv6 ? fmt::format("[{}]", settings_.host) : settings_.host;
    line("ServerRoot {}", config_word(settings_.server_root));
    line("DefaultRuntimeDir {}", config_word(settings_.server_root));
    line("PidFile {}", config_word(settings_.server_root + "/httpd.pid"));
    line("ServerName {}:{}", is_ipv6 ? "localhost" : host, settings_.port);
    line("Listen {}:{}", host, settings_.port);
    if (!settings_.user.empty()) {
      line("User {}", settings_.user);
      line("Group {}", settings_.group);
    }
  }

  // Modules that are built into this httpd have no file.
  void load(std::string_view name) {
    const std::string file = fmt::format("mod_{}.so", name);
    if (std::ranges::find(settings_.modules, file) == settings_.modules.end()) return;
    line("LoadModule {}_module {}", name, config_word(settings_.modules_dir + "/" + file));
  }

  void write_modules() {
    heading("Modules");
    for (const char* name : {"mpm_event", "unixd", "log_config", "authz_core", "reqtimeout"}) {
      load(name);
    }
    if (!settings_.mime_types_file.empty()) load("mime");
    if (site_.form == TargetForm::folder) load("dir");
    if (!site_.statics.empty() || mounts_folder_by_alias()) load("alias");
    if (site_.runs_python()) line("LoadModule wsgi_module {}", config_word(settings_.module_file));
  }

  void write_processes() {
    heading("One process that serves, and room for its successor during a graceful restart");
    line("ServerLimit 4");
    line("StartServers 1");
    line("ThreadLimit {}", settings_.threads);
    line("ThreadsPerChild {}", settings_.threads);
    line("MaxRequestWorkers {}", settings_.threads);
    line("MinSpareThreads 1");
    line("MaxSpareThreads {}", settings_.threads);
    if (site_.runs_python()) line("ThreadStackSize {}", base::kPythonStackBytes);
  }

  void write_logs() {
    heading("Logs, on the terminal");
    line("ErrorLog /dev/stderr");
    if (!settings_.log_level.empty()) {
      line("LogLevel {}", settings_.log_level);
    } else {
      line("LogLevel warn{}", site_.runs_python() ? " wsgi:info" : "");
    }
    line("LogFormat \"%h %l %u %t \\\"%r\\\" %>s %b\" common");
    line("CustomLog /dev/stdout common");
  }

  void write_access() {
    heading("Nothing is served or told but what is opened below");
    line("ServerTokens Prod");
    line("TraceEnable Off");
    line("<Directory />");
    line("  Require all denied");
    line("  Options FollowSymLinks");
    line("  AllowOverride None");
    line("</Directory>");
    if (!settings_.mime_types_file.empty()) {
      line("TypesConfig {}", config_word(settings_.mime_types_file));
    }
  }

  void write_application() {
    heading("The application");
    if (!site_.python_home.empty()) line("WSGIPythonHome {}", config_word(site_.python_home));
    if (!site_.python_path.empty()) {
      line("WSGIPythonPath {}", config_word(fmt::format("{}", fmt::join(site_.python_path, ":"))));
    }
    const bool is_module = site_.form == TargetForm::module;
    const std::string what = is_module ? site_.module + ":" + site_.callable : site_.path;
    const bool name_callable = !is_module && site_.callable != "application";
    line("# With both groups named the script is imported when a process starts.");
    line("WSGIScriptAlias {} {} process-group=%{{GLOBAL}} application-group={}{}",
         config_word(site_.mount), config_word(what), group_word(settings_.application_group),
         name_callable ? " callable-object=" + config_word(site_.callable) : "");
    if (!is_module) open_file(site_.path);
  }

  static std::string group_word(const std::string& text) {
    return text == settings::kGlobalName ? text : config_word(text);
  }

  void open_file(const fs::path& file) {
    line("<Directory {}>", pattern_word(file.parent_path().string()));
    line("  <Files {}>", pattern_word(file.filename().string()));
    line("    Require all granted");
    line("  </Files>");
    line("</Directory>");
  }

  void open_folder(const std::string& folder) {
    line("<Directory {}>", pattern_word(folder));
    line("  Require all granted");
    line("</Directory>");
  }

  // Whatever a folder of files has beside them. <Location> sections come last, so nothing else
  // opens it again.
  void close_sources(const std::string& url) {
    const std::string below = url == "/" ? "" : url;
    line("<LocationMatch {}>",
         config_word(fmt::format("^{}/(?:.*/)?(?i:{})", regex_word(below), kPrivateNames)));
    line("  Require all denied");
    line("</LocationMatch>");
  }

  bool mounts_folder_by_alias() const {
    return site_.form == TargetForm::folder && site_.mount != "/";
  }

  void write_files() {
    heading("The files");
    line("DirectoryIndex index.html");
    if (mounts_folder_by_alias()) {
      line("Alias {} {}", config_word(site_.mount), config_word(site_.path));
    } else {
      line("DocumentRoot {}", config_word(site_.path));
    }
    open_folder(site_.path);
    close_sources(site_.mount);
  }

  void write_statics() {
    if (site_.statics.empty()) return;
    heading("Static files; httpd serves them without Python");
    for (const StaticMount& mount : site_.statics) {
      line("Alias {} {}", config_word(mount.url), config_word(mount.folder));
      open_folder(mount.folder);
      close_sources(mount.url);
    }
  }

  const Site& site_;
  const ServerSettings& settings_;
  std::string text_;
};

}  // namespace

std::string render_config(const Site& site, const ServerSettings& settings) {
  return ConfigWriter(site, settings).write();
}

std::string config_word(std::string_view text) {
  std::string word = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"' || text[i] == '\\') word += '\\';
    word += text.substr(i).starts_with(kVariable) ? kDollar : text.substr(i, 1);
  }
  return word + '"';
}

std::string regex_word(std::string_view text) {
  std::string word;
  for (const char c : text) {
    if (std::string_view(R"(\^$.|?*+()[]{}#)").find(c) != std::string_view::npos) word += '\\';
    word += c;
  }
  return word;
}

std::string pattern_word(std::string_view path) {
  const bool has_wildcards = path.find_first_of("*?[") != path.npos;
  std::string pattern;
  for (const char c : path) {
    if (has_wildcards && c == '\\') pattern += '\\';
    const bool is_wildcard = c == '*' || c == '?' || c == '[';
    pattern += is_wildcard ? std::string{'[', c, ']'} : std::string(1, c);
  }
  return config_word(pattern);
}

}  // namespace pyhost::serve
