// The contextvars that Python code runs with.
#pragma once

#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::python {

// The calling thread runs in that context for a scope; null changes nothing. PRECONDITION: nobody
// else runs in it at the same time.
class ContextScope {
 public:
  ContextScope(Attached&, PyObject* context_or_null) : context_(Ref::share(context_or_null)) {
    if (context_) PyContext_Enter(context_.get());
  }
  ContextScope(const ContextScope&) = delete;
  ContextScope& operator=(const ContextScope&) = delete;
  ~ContextScope() {
    if (context_) PyContext_Exit(context_.get());
  }
  // Whether it changes anything.
  explicit operator bool() const noexcept { return bool(context_); }

 private:
  const Ref context_;
};

}  // namespace pyhost::python
