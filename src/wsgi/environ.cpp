#include "wsgi/environ.h"

#include "python/error.h"

namespace pyhost::wsgi {
namespace {

using gateway::EnvironEntry;
using gateway::EnvironKey;
using python::Ref;

Ref interned(std::string_view text) {
  PyObject* string = PyUnicode_DecodeLatin1(text.data(), Py_ssize_t(text.size()), nullptr);
  if (string != nullptr) PyUnicode_InternInPlace(&string);
  return Ref::steal(string);
}

bool same_text(PyObject* string, std::string_view text) noexcept {
  if (PyUnicode_KIND(string) != PyUnicode_1BYTE_KIND) return false;
  const auto* data = reinterpret_cast<const char*>(PyUnicode_1BYTE_DATA(string));
  return std::string_view(data, std::size_t(PyUnicode_GET_LENGTH(string))) == text;
}

// Paths are what os.fsencode() turns back into the same bytes; everything else is Latin-1.
constexpr bool is_path(EnvironKey key) noexcept {
  return key == EnvironKey::script_filename || key == EnvironKey::document_root;
}

// Longer values are rarely the same twice, and are not worth keeping alive.
constexpr std::size_t kRememberedBytesMax = 512;

bool set(PyObject* dict, const char* name, Ref value) {
  return value && PyDict_SetItemString(dict, name, value.get()) == 0;
}

Ref seconds(std::int64_t microseconds) {
  constexpr double kMicroseconds = 1e6;
  return Ref::steal(PyFloat_FromDouble(double(microseconds) / kMicroseconds));
}

bool add_server_request(PyObject* dict, void* request) {
  return set(dict, "apache.request_rec", Ref::steal(PyCapsule_New(request, nullptr, nullptr)));
}

}  // namespace

base::Result<EnvironFactory> EnvironFactory::make(python::Attached& py,
                                                  const gateway::EngineSettings& settings,
                                                  const EnvironConstants& constants) {
  EnvironFactory factory;
  for (std::size_t i = 0; i < gateway::kEnvironKeyCount; ++i) {
    factory.keys_[i] = interned(gateway::name_of(EnvironKey(i)));
  }
  factory.url_scheme_key_ = interned("wsgi.url_scheme");
  factory.http_ = interned("http");
  factory.https_ = interned("https");
  factory.input_key_ = interned("wsgi.input");
  factory.errors_key_ = interned("wsgi.errors");
  factory.request_start_key_ = interned("mod_wsgi.request_start");
  factory.queue_start_key_ = interned("mod_wsgi.queue_start");
  factory.daemon_start_key_ = interned("mod_wsgi.daemon_start");
  factory.application_start_key_ = interned("mod_wsgi.application_start");
  factory.thread_id_key_ = interned("mod_wsgi.thread_id");
  factory.template_ = Ref::steal(PyDict_New());
  if (PyErr_Occurred() != nullptr || !factory.fill_template(settings, constants)) {
    return base::fail(python::PythonError::take(py).summary(py));
  }
  return factory;
}

bool EnvironFactory::fill_template(const gateway::EngineSettings& settings,
                                   const EnvironConstants& constants) {
  PyObject* dict = template_.get();
  const auto& server = settings.server_version;
  const bool complete =
      set(dict, "wsgi.version", Ref::steal(Py_BuildValue("(ii)", 1, 0))) &&
      set(dict, "wsgi.multithread", Ref::steal(PyBool_FromLong(settings.multithread))) &&
      set(dict, "wsgi.multiprocess", Ref::steal(PyBool_FromLong(settings.multiprocess))) &&
      set(dict, "wsgi.run_once", Ref::share(Py_False)) &&
      set(dict, "wsgi.input_terminated", Ref::share(Py_True)) &&
      set(dict, "wsgi.file_wrapper", Ref::share(constants.file_wrapper_type)) &&
      set(dict, "wsgi.early_hints", Ref::share(constants.early_hints)) &&
      set(dict, "mod_wsgi.client_disconnected", Ref::share(constants.client_disconnected)) &&
      set(dict, "apache.version",
          Ref::steal(Py_BuildValue("(iii)", server[0], server[1], server[2]))) &&
      set(dict, "mod_wsgi.version",
          Ref::steal(Py_BuildValue("(iii)", gateway::kModWsgiApi[0], gateway::kModWsgiApi[1],
                                   gateway::kModWsgiApi[2])));
  if (!complete) return false;
  // Keys that every request sets: present from the start, a copy needs no growing for them.
  for (std::size_t i = 0; i <= std::size_t(EnvironKey::document_root); ++i) {
    if (PyDict_SetItem(dict, keys_[i].get(), Py_None) != 0) return false;
  }
  for (const Ref* key :
       {&url_scheme_key_, &input_key_, &errors_key_, &request_start_key_, &queue_start_key_,
        &daemon_start_key_, &application_start_key_, &thread_id_key_}) {
    if (PyDict_SetItem(dict, key->get(), Py_None) != 0) return false;
  }
  return true;
}

Ref EnvironFactory::value_of(const EnvironEntry& entry) {
  const std::string_view text = entry.value;
  if (is_path(entry.key)) {
    return Ref::steal(PyUnicode_DecodeFSDefaultAndSize(text.data(), Py_ssize_t(text.size())));
  }
  if (entry.key == EnvironKey::other) {
    return Ref::steal(PyUnicode_DecodeLatin1(text.data(), Py_ssize_t(text.size()), nullptr));
  }
  Ref& last = last_values_[std::size_t(entry.key)];
  if (last && same_text(last.get(), text)) return last.clone();
  Ref value = Ref::steal(PyUnicode_DecodeLatin1(text.data(), Py_ssize_t(text.size()), nullptr));
  if (value && text.size() <= kRememberedBytesMax) last = value.clone();
  return value;
}

bool EnvironFactory::add(PyObject* environ, const EnvironEntry& entry) {
  const Ref value = value_of(entry);
  if (!value) return false;
  if (entry.key != EnvironKey::other) {
    return PyDict_SetItem(environ, keys_[std::size_t(entry.key)].get(), value.get()) == 0;
  }
  const Ref name =
      Ref::steal(PyUnicode_DecodeLatin1(entry.name.data(), Py_ssize_t(entry.name.size()), nullptr));
  return name && PyDict_SetItem(environ, name.get(), value.get()) == 0;
}

Ref EnvironFactory::build(python::Attached&, const gateway::RequestHead& head,
                          std::int64_t start_us) {
  Ref environ = Ref::steal(PyDict_Copy(template_.get()));
  if (!environ) return {};
  for (const EnvironEntry& entry : head.environ) {
    if (!add(environ.get(), entry)) return {};
  }
  PyObject* dict = environ.get();
  const Ref request_start = seconds(head.start_us);
  const Ref queue_start = seconds(head.queue_start_us);
  const Ref daemon_start = seconds(head.worker_start_us);
  const Ref application_start = seconds(start_us);
  const Ref thread_id = Ref::steal(PyLong_FromLong(python::current_thread_number()));
  const Ref& scheme = head.https ? https_ : http_;
  const bool complete =
      request_start && queue_start && daemon_start && application_start && thread_id &&
      PyDict_SetItem(dict, url_scheme_key_.get(), scheme.get()) == 0 &&
      PyDict_SetItem(dict, request_start_key_.get(), request_start.get()) == 0 &&
      PyDict_SetItem(dict, queue_start_key_.get(), queue_start.get()) == 0 &&
      PyDict_SetItem(dict, daemon_start_key_.get(), daemon_start.get()) == 0 &&
      PyDict_SetItem(dict, application_start_key_.get(), application_start.get()) == 0 &&
      PyDict_SetItem(dict, thread_id_key_.get(), thread_id.get()) == 0;
  if (!complete) return {};
  if (head.server_request != nullptr && !add_server_request(dict, head.server_request)) return {};
  return environ;
}

bool EnvironFactory::add_streams(python::Attached&, PyObject* environ, PyObject* input,
                                 PyObject* errors) const {
  return PyDict_SetItem(environ, input_key_.get(), input) == 0 &&
         PyDict_SetItem(environ, errors_key_.get(), errors) == 0;
}

bool EnvironFactory::add_errors_only(python::Attached&, PyObject* environ, PyObject* errors) const {
  return PyDict_DelItem(environ, input_key_.get()) == 0 &&
         PyDict_SetItem(environ, errors_key_.get(), errors) == 0;
}

}  // namespace pyhost::wsgi
