#include "pyapi/request_data.h"

#include <utility>

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

ActiveRequests::Entry::Entry(Attached& py, ActiveRequests& all, const gateway::RequestHead& head,
                             python::RequestData& data)
    : all_(all), head_(head), data_(data) {
  all_.entries_.push_back(this);
  if (all_.dictionary_ && !add_to(py, all_.dictionary_.get())) python::discard_error(py);
}

// The application may have taken it out of the dictionary.
void ActiveRequests::Entry::leave(Attached& py) noexcept {
  std::erase(all_.entries_, this);
  const Ref id = std::move(id_);
  const bool is_gone = id && PyDict_DelItem(all_.dictionary_.get(), id.get()) != 0;
  if (is_gone) python::discard_error(py);
  data_.end(py);
}

bool ActiveRequests::Entry::add_to(Attached& py, PyObject* dictionary) {
  const std::string_view id = id_of(head_);
  if (id.empty()) return true;
  const Ref data = data_.get(py);
  if (!data) return false;
  id_ = Ref::steal(PyUnicode_DecodeLatin1(id.data(), Py_ssize_t(id.size()), nullptr));
  return id_ && PyDict_SetItem(dictionary, id_.get(), data.get()) == 0;
}

Ref ActiveRequests::dictionary(Attached& py) {
  if (dictionary_) return dictionary_.clone();
  Ref made = Ref::steal(PyDict_New());
  if (!made) return {};
  for (Entry* entry : entries_) {
    if (!entry->add_to(py, made.get())) return {};
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
