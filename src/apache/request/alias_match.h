// Matching URLs against the path of an alias.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace pyhost::apache {

// How much of `uri` the alias covers, nothing if it does not match. A run of slashes in the alias
// matches any run in the URI; an alias without a slash at its end matches whole components only.
std::optional<std::size_t> match_alias(std::string_view uri, std::string_view alias) noexcept;

// `length` without the slashes that the covered part of `uri` ends with.
std::size_t without_trailing_slashes(std::string_view uri, std::size_t length) noexcept;

}  // namespace pyhost::apache
