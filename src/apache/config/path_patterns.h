// The patterns of paths that httpd's directives have, each in a syntax of its own, as one that
// base/path_pattern.h knows. What has no equal there becomes a part that may be anything.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pyhost::apache {

// Each gives nothing when the pattern is not absolute, or does not say at least the first folder:
// it would stand for every file of the system.

// <Directory /srv/*/app>
std::optional<std::string> pattern_of_glob(std::string_view glob);
// <DirectoryMatch "^/srv/[^/]+/app">; what no ^ holds at the root is not absolute.
std::optional<std::string> pattern_of_expression(std::string_view expression);
// AliasMatch and RewriteRule: "/srv/$1/app", with ${map:key} and %{variable}.
std::optional<std::string> pattern_of_substitution(std::string_view text);
// VirtualDocumentRoot /srv/%0/app
std::optional<std::string> pattern_of_host_folder(std::string_view text);

}  // namespace pyhost::apache
