#include "python/interpreter.h"

#include <fmt/format.h>

namespace pyhost::python {

std::string Interpreter::phrase() const {
  return is_main() ? "the main interpreter" : fmt::format("sub-interpreter '{}'", name_);
}

}  // namespace pyhost::python
