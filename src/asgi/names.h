// The texts of scopes and events, made once.
#pragma once

#include "pyhost/base/result.h"
#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::asgi {

// Interned str objects of one interpreter, as names.def has them.
struct Names {
  static base::Result<Names> make(python::Attached& py);

#define PH_ASGI_NAME(identifier, text) python::Ref identifier;
#include "asgi/names.def"
#undef PH_ASGI_NAME
};

}  // namespace pyhost::asgi
