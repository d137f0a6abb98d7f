// What an application tells httpd of its request.
#pragma once

#include <string_view>
#include <vector>

#include "pyhost/gateway/annotation.h"

namespace pyhost::python {

// Collects it until the head of the reply leaves, and it with that. The interpreter's lock protects
// it.
class RequestNotes {
 public:
  // Takes the place of an earlier one of that kind and name. Fails with a sentence for the
  // application when it is none, when there are too many, or when the head has left.
  base::Result<> set(gateway::Annotation annotation);
  bool has_user() const noexcept;

  // Once.
  std::vector<gateway::Annotation> take() noexcept;

 private:
  std::vector<gateway::Annotation> notes_;
  bool taken_ = false;
};

}  // namespace pyhost::python
