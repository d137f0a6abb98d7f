// What a script tells httpd of a request beside its reply: for access logs, headers and whatever
// else reads it there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "pyhost/base/result.h"

namespace pyhost::gateway {

struct Annotation {
  enum class Kind : std::uint8_t {
    user,      // who has sent the request, "%u"; without a name
    note,      // "%{name}n"
    variable,  // "%{name}e": of the request's environment, not the process's
  };
  Kind kind = Kind::note;
  std::string name;
  std::string value;

  bool operator==(const Annotation&) const = default;
};

inline constexpr std::size_t kAnnotationsMax = 64;
inline constexpr std::size_t kAnnotationNameBytesMax = 128;
inline constexpr std::size_t kAnnotationValueBytesMax = 4096;

// Names are printable ASCII without blanks; values have no control characters, and a user's name is
// not empty. So a line of a log stays one line.
base::Result<> check_annotation(const Annotation& annotation);
// All of them, and that they are not too many.
base::Result<> check_annotations(std::span<const Annotation> annotations);

}  // namespace pyhost::gateway
