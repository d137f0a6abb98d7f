#include "base/path_glob.h"

#include <fnmatch.h>

#include <algorithm>

namespace pyhost::base {
namespace {

using Segment = PathGlob::Segment;
using Kind = Segment::Kind;

std::vector<std::string_view> components_of(std::string_view path) {
  std::vector<std::string_view> components;
  for (std::size_t start = 1; start <= path.size();) {
    const std::size_t stop = std::min(path.find('/', start), path.size());
    components.push_back(path.substr(start, stop - start));
    start = stop + 1;
  }
  return components;
}

// fnmatch() takes a bracket that is not closed for itself.
bool has_open_bracket(std::string_view text) noexcept {
  const auto open = text.find('[');
  if (open == text.npos) return false;
  // A bracket directly behind the first one, or behind its negation, is one of the characters.
  const auto first = open + (text.substr(open + 1).starts_with('!') ? 3 : 2);
  const auto close = text.find(']', first);
  return close == text.npos || has_open_bracket(text.substr(close + 1));
}

std::optional<Segment> segment_of(std::string_view text) {
  if (text.empty() || text == "." || text == "..") return std::nullopt;
  if (text == "**") return Segment{Kind::any_depth, "**"};
  if (text.find("**") != text.npos || has_open_bracket(text)) return std::nullopt;
  const bool plain = text.find_first_of("*?[") == text.npos;
  return Segment{plain ? Kind::name : Kind::pattern, std::string(text)};
}

}  // namespace

bool Segment::matches(std::string_view name) const {
  if (kind == Kind::name) return name == text;
  if (name == "__pycache__") return false;
  if (kind == Kind::any_depth) return !name.starts_with('.');
  return fnmatch(text.c_str(), std::string(name).c_str(), FNM_PERIOD | FNM_NOESCAPE) == 0;
}

std::optional<PathGlob> PathGlob::parse(std::string_view text) {
  if (!text.starts_with('/')) return std::nullopt;
  PathGlob glob;
  for (const std::string_view component : components_of(text)) {
    auto segment = segment_of(component);
    if (!segment) return std::nullopt;
    glob.segments_.push_back(*std::move(segment));
  }
  // Not everything below / can be watched.
  if (glob.segments_.front().kind != Kind::name) return std::nullopt;
  if (std::ranges::count(glob.segments_, Kind::any_depth, &Segment::kind) > 1) return std::nullopt;
  if (glob.segments_.back().kind == Kind::any_depth) {
    glob.segments_.push_back({Kind::pattern, "*"});
  }
  return glob;
}

}  // namespace pyhost::base
