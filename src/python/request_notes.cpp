#include "python/request_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pyhost::python {

using gateway::Annotation;

base::Result<> RequestNotes::set(Annotation annotation) {
  if (taken_) return base::fail("the head of the reply has been sent already");
  if (const auto checked = gateway::check_annotation(annotation); !checked) {
    return base::fail(fmt::format("httpd does not take {}", checked.error().sentence));
  }
  const auto found = std::ranges::find_if(notes_, [&](const Annotation& other) {
    return other.kind == annotation.kind && other.name == annotation.name;
  });
  if (found != notes_.end()) {
    *found = std::move(annotation);
    return {};
  }
  if (notes_.size() == gateway::kAnnotationsMax) {
    return base::fail(
        fmt::format("httpd does not take more than {} notes and variables of a request",
                    gateway::kAnnotationsMax));
  }
  notes_.push_back(std::move(annotation));
  return {};
}

bool RequestNotes::has_user() const noexcept {
  return std::ranges::any_of(
      notes_, [](const Annotation& note) { return note.kind == Annotation::Kind::user; });
}

std::vector<Annotation> RequestNotes::take() noexcept {
  taken_ = true;
  return std::exchange(notes_, {});
}

}  // namespace pyhost::python
