// What mod_wsgi.request_data() gives.
#pragma once

#include "python/attached.h"
#include "python/ref.h"

namespace pyhost::python {

// The dictionary that an application shares with whoever is told of its request. The interpreter's
// lock protects it.
class RequestData {
 public:
  // The same one each time, made for the first; null with an exception pending without memory for
  // it, or when the request is over.
  Ref get(Attached& py);
  // Lets go of it. To be called before the request goes.
  void end(Attached& py) noexcept;

 private:
  Ref data_;
  bool over_ = false;
};

// RuntimeError for whoever asks where no request runs; gives null.
PyObject* refuse_without_request();

}  // namespace pyhost::python
