#include "pyapi/request_data.h"

#include "python/error.h"
#include "python/native_type.h"

namespace pyhost::pyapi {
namespace {

using python::Attached;
using python::Ref;

// The function's self is an ambient stream, which knows whose context it is.
PyObject* request_data(PyObject* self, PyObject*) {
  return python::py_entry([&]() -> PyObject* {
    python::ContextRequest request(self);
    return request ? request->data().get(request.py()).release() : nullptr;
  });
}

PyMethodDef function = {"request_data", request_data, METH_NOARGS,
                        "request_data()\n--\n\n"
                        "The dictionary of the request that this code runs for, which event "
                        "callbacks get as well."};

// The last entry of a name is the one that counts.
std::string_view value_of(const gateway::RequestHead& head, gateway::EnvironKey key) noexcept {
  std::string_view value;
  for (const gateway::EnvironEntry& entry : head.environ) {
    if (entry.key == key) value = entry.value;
  }
  return value;
}

}  // namespace

std::string_view id_of(const gateway::RequestHead& head) noexcept {
  return value_of(head, gateway::EnvironKey::wsgi_request_id);
}

std::string_view trace_id_of(const gateway::RequestHead& head) noexcept {
  return value_of(head, gateway::EnvironKey::wsgi_trace_id);
}

ActiveRequests::Scope::Scope(Attached& py, ActiveRequests& all, const gateway::RequestHead& head,
                             python::RequestData& data)
    : py_(py), all_(all), head_(head), data_(data) {
  all_.scopes_.push_back(this);
  if (all_.dictionary_ && !enter(all_.dictionary_.get())) python::discard_error(py);
}

ActiveRequests::Scope::~Scope() {
  std::erase(all_.scopes_, this);
  if (id_) leave(all_.dictionary_.get());
  data_.end(py_);
}

bool ActiveRequests::Scope::enter(PyObject* dictionary) {
  const std::string_view id = id_of(head_);
  if (id.empty()) return true;
  const Ref data = data_.get(py_);
  if (!data) return false;
  id_ = Ref::steal(PyUnicode_DecodeLatin1(id.data(), Py_ssize_t(id.size()), nullptr));
  return id_ && PyDict_SetItem(dictionary, id_.get(), data.get()) == 0;
}

// The application may have taken it out.
void ActiveRequests::Scope::leave(PyObject* dictionary) {
  if (PyDict_DelItem(dictionary, id_.get()) != 0) python::discard_error(py_);
}

Ref ActiveRequests::dictionary(Attached&) {
  if (dictionary_) return dictionary_.clone();
  Ref made = Ref::steal(PyDict_New());
  if (!made) return {};
  for (Scope* scope : scopes_) {
    if (!scope->enter(made.get())) return {};
  }
  dictionary_ = made.clone();
  return made;
}

bool add_request_data(Attached& py, PyObject* module, const python::LogStreams& streams) {
  const Ref stream = streams.make_raw_ambient(py, "<mod_wsgi>");
  const Ref object = Ref::steal(stream ? PyCFunction_New(&function, stream.get()) : nullptr);
  return object && PyObject_SetAttrString(module, function.ml_name, object.get()) == 0;
}

}  // namespace pyhost::pyapi
