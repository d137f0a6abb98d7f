#include "python/log_stream.h"

#include <memory>

#include "python/error.h"
#include "python/native_type.h"

namespace pyhost::python {
namespace {

enum class Mode { text, binary };

struct LogStream {
  Mode mode;
  const char* name;
  Interpreter* interpreter;
  SharedRequestLink link;  // null for an ambient stream
  LineLog* log;            // valid while the link is open, as the notes, of which there may be none
  RequestNotes* notes_or_null;
  Ref request_stream;  // of an ambient stream: the ContextVar that has a request's
};

// Where a thread prints outside any request. One per thread, so that their lines do not mix.
class ThreadLog {
 public:
  ~ThreadLog();

  LineLog& for_interpreter(Interpreter& interpreter) {
    if (interpreter_ != &interpreter) change_to(&interpreter);
    return *log_;
  }

 private:
  void change_to(Interpreter* interpreter) {
    if (log_ && !interpreter_->closed()) log_->flush();
    interpreter_ = interpreter;
    log_ = interpreter ? std::make_unique<LineLog>(interpreter->server_log()) : nullptr;
  }

  Interpreter* interpreter_ = nullptr;
  std::unique_ptr<LineLog> log_;
};

// At the end of a thread its Python objects go after this log has gone, and may still print.
thread_local bool thread_log_is_gone = false;
thread_local ThreadLog thread_log;

ThreadLog::~ThreadLog() {
  change_to(nullptr);
  thread_log_is_gone = true;
}

template <class F>
PyObject* with_thread_log(Attached& py, F action) {
  if (!thread_log_is_gone) return action(py, thread_log.for_interpreter(py.interpreter()));
  LineLog log(py.interpreter().server_log());
  PyObject* result = action(py, log);
  log.flush(py);
  return result;
}

// The stream of the request that the caller's context belongs to, if it belongs to one. What an
// application may have put in its place counts for nothing.
Ref request_stream_for(Attached& py, PyObject* ambient) {
  PyObject* found = nullptr;
  if (PyContextVar_Get(value_of<LogStream>(ambient).request_stream.get(), nullptr, &found) != 0) {
    discard_error(py);
  }
  Ref stream = Ref::steal(found);
  return stream && Py_IS_TYPE(stream.get(), Py_TYPE(ambient)) ? std::move(stream) : Ref();
}

// A request that is over leaves contexts behind, in threads and tasks that go on.
template <class F>
PyObject* with_ambient_log(Attached& py, PyObject* self, F action) {
  if (const Ref found = request_stream_for(py, self)) {
    const LogStream& stream = value_of<LogStream>(found.get());
    if (stream.link) {
      const RequestLink::Use use(*stream.link);
      if (use) return action(py, *stream.log);
    }
  }
  return with_thread_log(py, action);
}

// Calls `action` with the log the stream means now; null with RuntimeError pending when that was a
// request's and the request is over.
template <class F>
PyObject* with_log(PyObject* self, F action) {
  return py_entry([&]() -> PyObject* {
    LogStream& stream = value_of<LogStream>(self);
    CalledByPython py(*stream.interpreter);
    if (!stream.link) return with_ambient_log(py, self, action);
    const SharedRequestLink link = stream.link;
    const RequestLink::Use use(*link);
    if (!use) {
      PyErr_Format(PyExc_RuntimeError, "%s was used after its request was completed", stream.name);
      return nullptr;
    }
    return action(py, *stream.log);
  });
}

PyObject* write_text(Attached& py, LineLog& log, PyObject* text) {
  if (!PyUnicode_Check(text)) {
    PyErr_Format(PyExc_TypeError, "write() argument must be str, not %.200s",
                 Py_TYPE(text)->tp_name);
    return nullptr;
  }
  log.write(py, to_utf8(py, text));
  return PyLong_FromSsize_t(PyUnicode_GET_LENGTH(text));
}

PyObject* write_bytes(Attached& py, LineLog& log, PyObject* data) {
  Py_buffer view;
  if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) != 0) return nullptr;
  const std::string bytes(static_cast<const char*>(view.buf), std::size_t(view.len));
  PyBuffer_Release(&view);
  log.write(py, bytes);
  return PyLong_FromSize_t(bytes.size());
}

PyObject* write(PyObject* self, PyObject* data) {
  return with_log(self, [&](Attached& py, LineLog& log) {
    return value_of<LogStream>(self).mode == Mode::text ? write_text(py, log, data)
                                                        : write_bytes(py, log, data);
  });
}

PyObject* writelines(PyObject* self, PyObject* lines) {
  const Ref iterator = Ref::steal(PyObject_GetIter(lines));
  if (!iterator) return nullptr;
  while (const Ref line = Ref::steal(PyIter_Next(iterator.get()))) {
    if (!Ref::steal(write(self, line.get()))) return nullptr;
  }
  if (PyErr_Occurred() != nullptr) return nullptr;
  Py_RETURN_NONE;
}

PyObject* flush(PyObject* self, PyObject*) {
  return with_log(self, [](Attached& py, LineLog& log) {
    log.flush(py);
    return Py_NewRef(Py_None);
  });
}

PyObject* refuse_fileno(PyObject*, PyObject*) {
  PyErr_SetString(
      PyExc_OSError,
      "what is written to this stream becomes records of httpd's log, so it has no file "
      "descriptor; descriptor 2 is a log of the process, in a worker that of its group");
  return nullptr;
}

PyObject* answer_true(PyObject*, PyObject*) {
  Py_RETURN_TRUE;
}
PyObject* answer_false(PyObject*, PyObject*) {
  Py_RETURN_FALSE;
}
PyObject* answer_none(PyObject*, PyObject*) {
  Py_RETURN_NONE;
}
PyObject* reconfigure(PyObject*, PyObject*, PyObject*) {
  Py_RETURN_NONE;
}
PyObject* enter(PyObject* self, PyObject*) {
  return Py_NewRef(self);
}

PyObject* get_name(PyObject* self, void*) {
  return PyUnicode_FromString(value_of<LogStream>(self).name);
}
PyObject* get_mode(PyObject* self, void*) {
  return PyUnicode_FromString(value_of<LogStream>(self).mode == Mode::text ? "w" : "wb");
}
PyObject* get_closed(PyObject*, void*) {
  Py_RETURN_FALSE;
}
PyObject* get_encoding(PyObject*, void*) {
  return PyUnicode_FromString("utf-8");
}
PyObject* get_errors(PyObject*, void*) {
  return PyUnicode_FromString("backslashreplace");
}
PyObject* get_newlines(PyObject*, void*) {
  Py_RETURN_NONE;
}
PyObject* get_line_buffering(PyObject*, void*) {
  Py_RETURN_TRUE;
}
PyObject* get_write_through(PyObject*, void*) {
  Py_RETURN_TRUE;
}

PyObject* get_buffer(PyObject* self, void*) {
  const LogStream& stream = value_of<LogStream>(self);
  LogStream sibling{Mode::binary,
                    stream.name,
                    stream.interpreter,
                    stream.link,
                    stream.log,
                    stream.notes_or_null,
                    Ref::share(stream.request_stream.get())};
  return make_native<LogStream>(reinterpret_cast<PyObject*>(Py_TYPE(self)), std::move(sibling))
      .release();
}

PyObject* repr(PyObject* self) {
  return PyUnicode_FromFormat("<mod_wsgi.Log name='%s'>", value_of<LogStream>(self).name);
}

PyMethodDef methods[] = {
    {"write", write, METH_O, "Writes text to httpd's error log, one record per line."},
    {"writelines", writelines, METH_O, "Writes each item of an iterable."},
    {"flush", flush, METH_NOARGS, "Logs text that has no line end yet."},
    {"close", answer_none, METH_NOARGS, "Does nothing: the log belongs to httpd."},
    {"fileno", refuse_fileno, METH_NOARGS, "Raises OSError: there is no descriptor."},
    {"isatty", answer_false, METH_NOARGS, "False."},
    {"readable", answer_false, METH_NOARGS, "False."},
    {"seekable", answer_false, METH_NOARGS, "False."},
    {"writable", answer_true, METH_NOARGS, "True."},
    {"reconfigure", method(reconfigure), METH_VARARGS | METH_KEYWORDS,
     "Does nothing: the log has no settings of its own."},
    {"__enter__", enter, METH_NOARGS, nullptr},
    {"__exit__", answer_none, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef attributes[] = {{"name", get_name, nullptr, nullptr, nullptr},
                            {"mode", get_mode, nullptr, nullptr, nullptr},
                            {"closed", get_closed, nullptr, nullptr, nullptr},
                            {"encoding", get_encoding, nullptr, nullptr, nullptr},
                            {"errors", get_errors, nullptr, nullptr, nullptr},
                            {"newlines", get_newlines, nullptr, nullptr, nullptr},
                            {"line_buffering", get_line_buffering, nullptr, nullptr, nullptr},
                            {"write_through", get_write_through, nullptr, nullptr, nullptr},
                            {"buffer", get_buffer, nullptr, "The stream for bytes.", nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, slot(dealloc_native<LogStream>)},
                       {Py_tp_repr, slot(repr)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, attributes},
                       {0, nullptr}};

PyType_Spec spec = {"mod_wsgi.Log", sizeof(Native<LogStream>), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

bool register_as_text_stream(PyObject* type) {
  const Ref io = Ref::steal(PyImport_ImportModule("io"));
  if (!io) return false;
  const Ref base = Ref::steal(PyObject_GetAttrString(io.get(), "TextIOBase"));
  return base && Ref::steal(PyObject_CallMethod(base.get(), "register", "O", type));
}

}  // namespace

base::Result<LogStreamType> LogStreamType::make(Attached& py) {
  PH_TRY(type, make_type(py, spec));
  if (!register_as_text_stream(type.get())) {
    return base::fail(PythonError::take(py).summary(py));
  }
  Ref variable = Ref::steal(PyContextVar_New("mod_wsgi.log", nullptr));
  if (!variable) return base::fail(PythonError::take(py).summary(py));
  return LogStreamType(std::move(type), std::move(variable));
}

Ref LogStreamType::make_ambient(Attached& py, const char* name) const {
  return make_native<LogStream>(
      type_.get(), LogStream{Mode::text, name, &py.interpreter(), nullptr, nullptr, nullptr,
                             Ref::share(request_stream_.get())});
}

Ref LogStreamType::make_for_request(Attached& py, const char* name, SharedRequestLink link,
                                    LineLog& log, RequestNotes* notes_or_null) const {
  return make_native<LogStream>(
      type_.get(),
      LogStream{Mode::text, name, &py.interpreter(), std::move(link), &log, notes_or_null, {}});
}

PyObject* annotate(PyObject* ambient, gateway::Annotation annotation) {
  CalledByPython py(*value_of<LogStream>(ambient).interpreter);
  if (const Ref found = request_stream_for(py, ambient)) {
    const LogStream& stream = value_of<LogStream>(found.get());
    const SharedRequestLink link = stream.link;
    const RequestLink::Use use(*link);
    if (use && stream.notes_or_null != nullptr) {
      const auto set = stream.notes_or_null->set(std::move(annotation));
      if (set) return Py_NewRef(Py_None);
      PyErr_SetString(PyExc_ValueError, set.error().sentence.c_str());
      return nullptr;
    }
  }
  PyErr_SetString(PyExc_RuntimeError, "no application serves a request in this context");
  return nullptr;
}

bool LogStreamType::set_request_stream(Attached&, PyObject* stream) const {
  return bool(Ref::steal(PyContextVar_Set(request_stream_.get(), stream)));
}

}  // namespace pyhost::python
