#include "apache/config/configuration_lines.h"

#include <fmt/format.h>

#include "apache/pool.h"
#include "base/parse.h"

namespace pyhost::apache {
namespace {

void add_lines(const ap_directive_t* node, apr_pool_t* pool,
               std::vector<ConfigurationLine>& lines) {
  for (; node != nullptr; node = node->next) {
    lines.push_back({.directive = node->directive,
                     .words = words_of(*node, pool),
                     .place = fmt::format("{}:{}", view_or_empty(node->filename), node->line_num),
                     .node = node});
    add_lines(node->first_child, pool, lines);
  }
}

}  // namespace

bool ConfigurationLine::is(std::string_view name) const {
  return base::equals_ignoring_case(directive, name);
}

std::vector<std::string> words_of(const ap_directive_t& line, apr_pool_t* pool) {
  std::string_view arguments = view_or_empty(line.args);
  if (line.directive[0] == '<' && arguments.ends_with('>')) arguments.remove_suffix(1);
  const char* rest = pool_c_string(pool, arguments);
  std::vector<std::string> words;
  while (*rest != '\0') words.emplace_back(ap_getword_conf(pool, &rest));
  return words;
}

std::vector<ConfigurationLine> configuration_lines() {
  std::vector<ConfigurationLine> lines;
  apr_pool_t* pool = nullptr;
  if (apr_pool_create(&pool, nullptr) != APR_SUCCESS) return lines;
  add_lines(ap_conftree, pool, lines);
  apr_pool_destroy(pool);
  return lines;
}

std::string last_value_of(std::string_view directive) {
  std::string value;
  for (const ConfigurationLine& line : configuration_lines()) {
    if (line.node->parent != nullptr || !line.is(directive) || line.words.empty()) continue;
    value = line.words.back();
  }
  return value;
}

}  // namespace pyhost::apache
