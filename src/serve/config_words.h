// Texts as httpd's configuration has them.
#pragma once

#include <string>
#include <string_view>

namespace pyhost::serve {

// What a configuration writes for a dollar sign that httpd would take for the start of a variable.
inline constexpr std::string_view kDollar = "${DOLLAR}";

// `text` as one word of a configuration line, in double quotes. PRECONDITION: no control
// characters. A text with "${" in it comes out with ${DOLLAR}, which the configuration defines as a
// dollar sign.
std::string config_word(std::string_view text);

// A text for a regular expression that finds it.
std::string regex_word(std::string_view text);

// A path for a pattern of the shell, where *, ? and [ are wildcards, that finds it.
std::string glob_of(std::string_view path);

// The same as a word, for a section such as <Directory>.
std::string pattern_word(std::string_view path);

// A host and port as in URLs: an IPv6 address in brackets.
std::string host_and_port(std::string_view host, int port);

}  // namespace pyhost::serve
