#include "apache/request/alias_match.h"

namespace pyhost::apache {
namespace {

std::size_t behind_slashes(std::string_view text, std::size_t position) noexcept {
  while (position < text.size() && text[position] == '/') ++position;
  return position;
}

}  // namespace

std::optional<std::size_t> match_alias(std::string_view uri, std::string_view alias) noexcept {
  std::size_t in_uri = 0;
  for (std::size_t in_alias = 0; in_alias < alias.size();) {
    if (in_uri == uri.size() || uri[in_uri] != alias[in_alias]) return std::nullopt;
    const bool slash = alias[in_alias] == '/';
    in_alias = slash ? behind_slashes(alias, in_alias) : in_alias + 1;
    in_uri = slash ? behind_slashes(uri, in_uri) : in_uri + 1;
  }
  const bool at_boundary = alias.ends_with('/') || in_uri == uri.size() || uri[in_uri] == '/';
  return at_boundary ? std::optional(in_uri) : std::nullopt;
}

std::size_t without_trailing_slashes(std::string_view uri, std::size_t length) noexcept {
  while (length > 0 && uri[length - 1] == '/') --length;
  return length;
}

}  // namespace pyhost::apache
