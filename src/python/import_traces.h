// What an import that has failed leaves behind.
#pragma once

#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::python {

// Remembers which modules and which entries of sys.path there are, so that a later import begins as
// the one in between did. A module may be complete and what it keeps half made, such as a registry
// of applications that cannot be filled a second time; so all that have come are forgotten, but not
// Python's own, nor packages with extension modules, which often cannot be loaded twice in a
// process, nor what these use.
class ImportTraces {
 public:
  // As it is now.
  explicit ImportTraces(Attached& py);
  ImportTraces(const ImportTraces&) = delete;
  ImportTraces& operator=(const ImportTraces&) = delete;

  // PRECONDITION: nothing else was imported meanwhile. What fails is left as it is.
  void erase(Attached& py) const noexcept;

 private:
  Ref before_;
};

}  // namespace pyhost::python
