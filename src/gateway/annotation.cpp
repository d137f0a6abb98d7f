#include "pyhost/gateway/annotation.h"

#include <fmt/format.h>

#include <algorithm>

#include "pyhost/gateway/response_rules.h"

namespace pyhost::gateway {
namespace {

bool is_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= kAnnotationNameBytesMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

}  // namespace

base::Result<> check_annotation(const Annotation& annotation) {
  const auto& [kind, name, value] = annotation;
  if (kind == Annotation::Kind::user) {
    if (!name.empty() || value.empty()) return base::fail("the name of a user that is empty");
  } else if (!is_name(name)) {
    return base::fail(
        fmt::format("'{}' as the name of a note or variable; give printable ASCII "
                    "without blanks, at most {} bytes",
                    excerpt_of(name), kAnnotationNameBytesMax));
  }
  if (value.size() > kAnnotationValueBytesMax) {
    return base::fail(
        fmt::format("a value of {} bytes, more than {}", value.size(), kAnnotationValueBytesMax));
  }
  if (has_control_character(value)) {
    return base::fail(
        fmt::format("the value '{}', which has a control character", excerpt_of(value)));
  }
  return {};
}

base::Result<> check_annotations(std::span<const Annotation> annotations) {
  if (annotations.size() > kAnnotationsMax) {
    return base::fail(
        fmt::format("{} notes and variables, more than {}", annotations.size(), kAnnotationsMax));
  }
  for (const Annotation& annotation : annotations) PH_TRY_VOID(check_annotation(annotation));
  return {};
}

}  // namespace pyhost::gateway
