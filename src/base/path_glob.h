// Patterns for paths, as shells have them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pyhost::base {

// An absolute path in which *, ? and [...] stand for parts of one component, and one component may
// be **: any number of folders, none too. As in a shell, none of them stands for a leading dot;
// nor, here, for __pycache__, which Python fills itself. A value; pure.
class PathGlob {
 public:
  struct Segment {
    enum class Kind { name, pattern, any_depth };
    Kind kind;
    std::string text;

    // Whether a component of that name may stand here; for any_depth, as one of its folders.
    bool matches(std::string_view name) const;
    bool operator==(const Segment&) const = default;
  };

  // Nothing when it is not absolute, has a component that is empty, "." or "..", a [ without ], **
  // beside something else or twice, or a pattern directly below /.
  static std::optional<PathGlob> parse(std::string_view text);

  // At least one; the last one is never any_depth, because ** at the end is read as **/*.
  const std::vector<Segment>& segments() const noexcept { return segments_; }

  bool operator==(const PathGlob&) const = default;

 private:
  std::vector<Segment> segments_;
};

}  // namespace pyhost::base
