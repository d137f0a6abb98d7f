#include "apache/config/mapped_paths.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "apache/config/configuration_lines.h"
#include "apache/config/path_patterns.h"
#include "apache/pool.h"
#include "base/parse.h"
#include "base/path_pattern.h"

namespace pyhost::apache {
namespace {

using base::equals_ignoring_case;
using LineWords = std::vector<std::string>;

// Paths of directives may be below ServerRoot.
std::string absolute(const std::string& path, apr_pool_t* pool) {
  const char* whole = ap_server_root_relative(pool, path.c_str());
  return whole == nullptr ? path : whole;
}

bool is_named(const ap_directive_t& line, std::string_view name) {
  return equals_ignoring_case(line.directive, name);
}

bool mentions(const ap_directive_t& line, std::string_view text) {
  return view_or_empty(line.args).find(text) != std::string_view::npos;
}

// Whether a line lets requests in, or has to do with what answers them: the folders of a section
// that only refuses are nobody's to serve.
bool grants(const ap_directive_t& line) {
  if (is_named(line, "Require")) return !mentions(line, "denied");
  if (is_named(line, "Options")) return mentions(line, "ExecCGI");
  return is_named(line, "Allow") || is_named(line, "SetHandler") || is_named(line, "AddHandler") ||
         std::string_view(line.directive).starts_with("WSGI");
}

bool has_granting_line(const ap_directive_t& section) {
  for (const auto* line = section.first_child; line != nullptr; line = line->next) {
    if (grants(*line) || has_granting_line(*line)) return true;
  }
  return false;
}

using Paths = std::vector<std::string>;

void add(std::optional<std::string> path, Paths& paths) {
  if (path) paths.push_back(*std::move(path));
}

void add_section(const ap_directive_t& line, const LineWords& words, bool expression,
                 Paths& paths) {
  const bool marked = words.size() == 2 && words[0] == "~";
  if (words.size() != (marked ? 2u : 1u)) return;
  if (expression || marked) {
    if (has_granting_line(line)) add(pattern_of_expression(words.back()), paths);
    return;
  }
  auto pattern = pattern_of_glob(words[0]);
  if (pattern && (!base::is_pattern(*pattern) || has_granting_line(line)))
    paths.push_back(*pattern);
}

// A * stands for the user; without one the user's name is appended.
void add_user_folders(const LineWords& words, Paths& paths) {
  for (const std::string& word : words) {
    if (word.starts_with('/')) add(pattern_of_glob(word), paths);
  }
}

// What a line of the configuration leads to.
struct Leading {
  std::string_view directive;
  void (*add)(const ap_directive_t& line, const LineWords& words, apr_pool_t* pool, Paths& paths);
};

void add_alias(const ap_directive_t&, const LineWords& words, apr_pool_t* pool, Paths& paths) {
  add(pattern_of_substitution(absolute(words.back(), pool)), paths);
}

void add_host_folder(const ap_directive_t&, const LineWords& words, apr_pool_t* pool,
                     Paths& paths) {
  add(pattern_of_host_folder(absolute(words.front(), pool)), paths);
}

bool is_of_server(const ap_directive_t& line) {
  return line.parent == nullptr || is_named(*line.parent, "<VirtualHost");
}

// In a folder it makes URLs, of a server it may make a path.
void add_rewriting(const ap_directive_t& line, const LineWords& words, apr_pool_t*, Paths& paths) {
  if (words.size() > 1 && is_of_server(line)) add(pattern_of_substitution(words[1]), paths);
}

constexpr std::array<Leading, 10> kLeading{{
    {"Alias", add_alias},
    {"AliasMatch", add_alias},
    {"ScriptAlias", add_alias},
    {"ScriptAliasMatch", add_alias},
    {"VirtualDocumentRoot", add_host_folder},
    {"VirtualDocumentRootIP", add_host_folder},
    {"RewriteRule", add_rewriting},
    {"UserDir", [](const auto&, const LineWords& words, apr_pool_t*,
                   Paths& paths) { add_user_folders(words, paths); }},
    {"<Directory", [](const auto& line, const LineWords& words, apr_pool_t*,
                      Paths& paths) { add_section(line, words, false, paths); }},
    {"<DirectoryMatch", [](const auto& line, const LineWords& words, apr_pool_t*,
                           Paths& paths) { add_section(line, words, true, paths); }},
}};

void add_line(const ap_directive_t& line, apr_pool_t* pool, Paths& paths) {
  const auto leading = std::ranges::find_if(
      kLeading, [&line](const Leading& each) { return is_named(line, each.directive); });
  if (leading == kLeading.end()) return;
  const LineWords words = words_of(line, pool);
  if (!words.empty()) leading->add(line, words, pool, paths);
}

bool is_host(const ap_directive_t& section, const server_rec* s) {
  return static_cast<unsigned>(section.line_num) == s->defn_line_number &&
         view_or_empty(section.filename) == view_or_empty(s->defn_name);
}

// Of virtual hosts the server's own; the lines of the main server hold for all.
void add_lines(const ap_directive_t* line, const server_rec* s, apr_pool_t* pool, Paths& paths) {
  for (; line != nullptr; line = line->next) {
    if (is_named(*line, "<VirtualHost") && !is_host(*line, s)) continue;
    add_line(*line, pool, paths);
    add_lines(line->first_child, s, pool, paths);
  }
}

}  // namespace

std::vector<std::string> mapped_paths_of(const server_rec* s) {
  Paths paths;
  apr_pool_t* pool = nullptr;
  if (apr_pool_create(&pool, s->process->pool) != APR_SUCCESS) return paths;
  add_lines(ap_conftree, s, pool, paths);
  apr_pool_destroy(pool);
  const auto& core = *static_cast<core_server_config*>(ap_get_core_module_config(s->module_config));
  if (core.ap_document_root != nullptr) add(pattern_of_glob(core.ap_document_root), paths);
  return paths;
}

}  // namespace pyhost::apache
