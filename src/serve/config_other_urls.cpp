// Files, and what other servers answer.
#include "serve/config_lines.h"
#include "serve/config_words.h"

namespace pyhost::serve {
namespace {

// What lies in folders of files and is nobody's business: hidden files, source and byte code of
// applications, what they keep their settings and data in, what editors leave behind.
constexpr char kPrivateNames[] =
    R"(\.(?!well-known(?:/|$))|__pycache__(?:/|$)|)"
    R"([^/]*(?:~|\.(?:py[cdowix]?|wsgi|ini|cfg|toml|env|sqlite3?|db|sql|pem|key|bak|swp))(?:/|$))";

// Whatever a folder of files has beside them. <Location> sections come last, so nothing else
// opens it again.
void close_sources(ConfigLines& lines, const std::string& url) {
  const std::string below = url == "/" ? "" : url;
  lines.line("<LocationMatch {}>",
             config_word(fmt::format("^{}/(?:.*/)?(?i:{})", regex_word(below), kPrivateNames)));
  lines.line("  Require all denied");
  lines.line("</LocationMatch>");
}

void write_index(ConfigLines& lines, const ServeOptions& options) {
  lines.load("dir");
  lines.line("DirectoryIndex {}", config_word(options.directory_index));
  if (options.directory_listing) lines.load("autoindex");
}

void open_files(ConfigLines& lines, const ServeOptions& options, const std::string& folder) {
  open_folder(lines, folder);
  if (!options.directory_listing) return;
  lines.line("<Directory {}>", pattern_word(folder));
  lines.line("  Options +Indexes");
  lines.line("</Directory>");
}

void write_folder(ConfigLines& lines, const ConfigSource& source) {
  const Site& site = source.site;
  lines.heading("The files");
  write_index(lines, source.options);
  if (site.mount == "/") {
    lines.line("DocumentRoot {}", config_word(site.path));
  } else {
    lines.load("alias");
    lines.line("Alias {} {}", config_word(site.mount), config_word(site.path));
  }
  open_files(lines, source.options, site.path);
  close_sources(lines, site.mount);
}

// A text that mod_rewrite takes as it is.
std::string rewrite_text(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '$' || c == '%' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// mod_rewrite is asked before all aliases.
void start_rewriting(ConfigLines& lines) {
  lines.load("rewrite");
  lines.line("RewriteEngine On");
  lines.line("RewriteOptions InheritDown");
}

void write_rewriting(ConfigLines& lines, const std::string& file) {
  lines.heading("Your rules");
  start_rewriting(lines);
  lines.line("Include {}", pattern_word(file));
}

void write_document_root(ConfigLines& lines, const ServeOptions& options) {
  const std::string root = rewrite_text(options.document_root);
  const std::string index = rewrite_text(options.directory_index);
  lines.heading("Files that come before the application");
  write_index(lines, options);
  start_rewriting(lines);
  lines.line("RewriteCond {} -f", config_word(root + "%{REQUEST_URI}"));
  lines.line("RewriteRule ^(.*)$ {} [L]", config_word(root + "$1"));
  lines.line("RewriteCond {} -f", config_word(fmt::format("{}%{{REQUEST_URI}}{}", root, index)));
  lines.line("RewriteRule ^(.*/)$ {} [L]", config_word(fmt::format("{}$1{}", root, index)));
  open_files(lines, options, options.document_root);
  close_sources(lines, "/");
}

void write_statics(ConfigLines& lines, const ConfigSource& source) {
  lines.heading("Static files; httpd serves them without Python");
  lines.load("alias");
  write_index(lines, source.options);
  for (const StaticMount& mount : source.site.statics) {
    lines.line("Alias {} {}", config_word(mount.url), config_word(mount.path));
    if (mount.is_file) {
      open_file(lines, mount.path);
      continue;
    }
    open_files(lines, source.options, mount.path);
    close_sources(lines, mount.url);
  }
}

void write_proxies(ConfigLines& lines, const Pairs& proxies) {
  lines.heading("What other servers answer");
  for (const char* name : {"proxy", "proxy_http"}) lines.load(name);
  for (const auto& [url, target] : proxies) {
    lines.line("ProxyPass {} {}", config_word(url), config_word(target));
    lines.line("ProxyPassReverse {} {}", config_word(url), config_word(target));
  }
}

void write_status_page(ConfigLines& lines) {
  lines.heading("What the server does");
  for (const char* name : {"authz_host", "status"}) lines.load(name);
  lines.line("<Location \"/server-status\">");
  lines.line("  SetHandler server-status");
  lines.line("  Require local");
  lines.line("</Location>");
}

}  // namespace

void write_other_urls(ConfigLines& lines, const ConfigSource& source) {
  if (source.site.form == TargetForm::folder) write_folder(lines, source);
  if (!source.options.rewrite_rules.empty()) write_rewriting(lines, source.options.rewrite_rules);
  if (!source.options.document_root.empty()) write_document_root(lines, source.options);
  if (!source.site.statics.empty()) write_statics(lines, source);
  if (!source.options.proxies.empty()) write_proxies(lines, source.options.proxies);
  if (source.options.server_status) write_status_page(lines);
}

}  // namespace pyhost::serve
