#include "serve/config_words.h"

#include <fmt/format.h>

namespace pyhost::serve {
namespace {

constexpr std::string_view kVariable = "${";

}  // namespace

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

std::string glob_of(std::string_view path) {
  const bool has_wildcards = path.find_first_of("*?[") != path.npos;
  std::string pattern;
  for (const char c : path) {
    if (has_wildcards && c == '\\') pattern += '\\';
    const bool is_wildcard = c == '*' || c == '?' || c == '[';
    pattern += is_wildcard ? std::string{'[', c, ']'} : std::string(1, c);
  }
  return pattern;
}

std::string pattern_word(std::string_view path) {
  return config_word(glob_of(path));
}

std::string host_and_port(std::string_view host, int port) {
  const bool is_ipv6 = host.find(':') != host.npos;
  return is_ipv6 ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

}  // namespace pyhost::serve
