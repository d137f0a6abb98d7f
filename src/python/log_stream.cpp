#include "python/log_stream.h"

#include <memory>

#include "python/error.h"
#include "python/native_type.h"

namespace pyhost::python {
namespace {

struct LogStream {
  const char* name;
  Interpreter* interpreter;
  Output output;
  gateway::Logging levels;     // outside of requests
  SharedRequestLink link{};    // of a request's stream
  OutputLogs* logs = nullptr;  // valid while the link is open, as the next one
  ServedRequest* served_or_null = nullptr;
  Ref request_stream{};  // of an ambient stream: the ContextVar that has a request's
  bool used = false;
};

// Where a thread prints outside any request. One per thread, so that their lines do not mix.
class ThreadLog {
 public:
  ~ThreadLog();

  OutputLogs& for_interpreter(Interpreter& interpreter, const gateway::Logging& levels) {
    if (interpreter_ != &interpreter) change_to(&interpreter, levels);
    return *logs_;
  }

 private:
  void change_to(Interpreter* interpreter, const gateway::Logging& levels) {
    if (logs_ && !interpreter_->closed()) logs_->flush();
    interpreter_ = interpreter;
    logs_ = interpreter ? std::make_unique<OutputLogs>(interpreter->server_log(), levels) : nullptr;
  }

  Interpreter* interpreter_ = nullptr;
  std::unique_ptr<OutputLogs> logs_;
};

// At the end of a thread its Python objects go after this log has gone, and may still print.
thread_local bool thread_log_is_gone = false;
thread_local ThreadLog thread_log;

ThreadLog::~ThreadLog() {
  change_to(nullptr, {});
  thread_log_is_gone = true;
}

template <class F>
PyObject* with_thread_log(Attached& py, const LogStream& stream, F action) {
  if (!thread_log_is_gone) {
    return action(py,
                  thread_log.for_interpreter(py.interpreter(), stream.levels).of(stream.output));
  }
  OutputLogs logs(py.interpreter().server_log(), stream.levels);
  LineLog& log = logs.of(stream.output);
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
  const LogStream& own = value_of<LogStream>(self);
  if (const Ref found = request_stream_for(py, self)) {
    const LogStream& stream = value_of<LogStream>(found.get());
    if (stream.link) {
      const RequestLink::Use use(*stream.link);
      if (use) return action(py, stream.logs->of(own.output));
    }
  }
  return with_thread_log(py, own, action);
}

// Calls `action` with the log the stream means now; `when_over` with the stream when that was a
// request's and the request is over.
template <class F, class G>
PyObject* with_log(PyObject* self, F action, G when_over) {
  return py_entry([&]() -> PyObject* {
    LogStream& stream = value_of<LogStream>(self);
    CalledByPython py(*stream.interpreter);
    if (stream.request_stream) return with_ambient_log(py, self, action);
    stream.used = true;
    const SharedRequestLink link = stream.link;
    const RequestLink::Use use(*link);
    return use ? action(py, stream.logs->of(stream.output)) : when_over(stream);
  });
}

PyObject* refuse_use(const LogStream& stream) {
  PyErr_Format(PyExc_RuntimeError, "%s was used after its request was completed", stream.name);
  return nullptr;
}

PyObject* write(PyObject* self, PyObject* data) {
  const auto log_bytes = [&](Attached& py, LineLog& log) -> PyObject* {
    Py_buffer view;
    if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE) != 0) return nullptr;
    // It is read without the interpreter, while the application may change it.
    const std::string bytes(static_cast<const char*>(view.buf), std::size_t(view.len));
    PyBuffer_Release(&view);
    log.write(py, bytes);
    return PyLong_FromSize_t(bytes.size());
  };
  return with_log(self, log_bytes, refuse_use);
}

// Nothing is left of a request that is over. A text stream is flushed when it is collected, which
// may be later, and CPython 3.13 and newer complain if that fails.
PyObject* flush(PyObject* self, PyObject*) {
  const auto flush_log = [](Attached& py, LineLog& log) {
    if (!log.take_line_flush()) log.flush(py);
    return Py_NewRef(Py_None);
  };
  return with_log(self, flush_log, [](const LogStream&) { return Py_NewRef(Py_None); });
}

PyObject* refuse_fileno(PyObject*, PyObject*) {
  const Ref io = Ref::steal(PyImport_ImportModule("io"));
  const Ref type =
      Ref::steal(io ? PyObject_GetAttrString(io.get(), "UnsupportedOperation") : nullptr);
  if (!type) return nullptr;
  PyErr_SetString(
      type.get(),
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

PyObject* get_name(PyObject* self, void*) {
  return PyUnicode_FromString(value_of<LogStream>(self).name);
}
PyObject* get_mode(PyObject*, void*) {
  return PyUnicode_FromString("wb");
}
PyObject* get_closed(PyObject*, void*) {
  Py_RETURN_FALSE;
}

PyObject* repr(PyObject* self) {
  return PyUnicode_FromFormat("<mod_wsgi.Log name='%s'>", value_of<LogStream>(self).name);
}

PyMethodDef methods[] = {
    {"write", write, METH_O, "Writes bytes to httpd's error log, one record per line."},
    {"flush", flush, METH_NOARGS, "Logs text that has no line end yet."},
    {"close", answer_none, METH_NOARGS, "Does nothing: the log belongs to httpd."},
    {"fileno", refuse_fileno, METH_NOARGS,
     "Raises io.UnsupportedOperation: there is no descriptor."},
    {"isatty", answer_false, METH_NOARGS, "False."},
    {"readable", answer_false, METH_NOARGS, "False."},
    {"seekable", answer_false, METH_NOARGS, "False."},
    {"writable", answer_true, METH_NOARGS, "True."},
    {nullptr, nullptr, 0, nullptr}};

PyGetSetDef attributes[] = {{"name", get_name, nullptr, nullptr, nullptr},
                            {"mode", get_mode, nullptr, nullptr, nullptr},
                            {"closed", get_closed, nullptr, nullptr, nullptr},
                            {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyType_Slot slots[] = {{Py_tp_dealloc, slot(dealloc_native<LogStream>)},
                       {Py_tp_repr, slot(repr)},
                       {Py_tp_methods, methods},
                       {Py_tp_getset, attributes},
                       {0, nullptr}};

PyType_Spec spec = {"mod_wsgi.Log", sizeof(Native<LogStream>), 0,
                    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, slots};

bool register_as_raw_stream(PyObject* io, PyObject* type) {
  const Ref base = Ref::steal(PyObject_GetAttrString(io, "RawIOBase"));
  return base && Ref::steal(PyObject_CallMethod(base.get(), "register", "O", type));
}

constexpr char kRequestStream[] = "<wsgi.errors>";

// An attribute that sys.stdout has, and what text streams are compared by: see is_untouched().
constexpr Py_ssize_t kOwnAttributes = 1;

// Whether nobody has the stream any more, has written to it or set an attribute of it: then nothing
// tells it from a new one. The references are ours and that of the text stream to the raw one.
bool is_untouched(const RequestStream& stream) {
  if (Py_REFCNT(stream.text.get()) != 1 || Py_REFCNT(stream.raw.get()) != 2) return false;
  if (value_of<LogStream>(stream.raw.get()).used) return false;
  const Ref names = Ref::steal(PyObject_GenericGetDict(stream.text.get(), nullptr));
  return names && PyDict_GET_SIZE(names.get()) == kOwnAttributes;
}

}  // namespace

base::Result<LogStreams> LogStreams::make(Attached& py, const gateway::Logging& levels) {
  PH_TRY(type, make_type(py, spec));
  const Ref io = Ref::steal(PyImport_ImportModule("io"));
  Ref wrapper = Ref::steal(io ? PyObject_GetAttrString(io.get(), "TextIOWrapper") : nullptr);
  // As Python's own sys.stderr has them; what is written goes through at once.
  Ref options =
      Ref::steal(wrapper ? Py_BuildValue("{s:s,s:s,s:s,s:O,s:O}", "encoding", "utf-8", "errors",
                                         "backslashreplace", "newline", "", "line_buffering",
                                         Py_True, "write_through", Py_True)
                         : nullptr);
  Ref variable = Ref::steal(options ? PyContextVar_New("mod_wsgi.log", nullptr) : nullptr);
  if (!variable || !register_as_raw_stream(io.get(), type.get())) {
    return base::fail(PythonError::take(py).summary(py));
  }
  return LogStreams(std::move(type), std::move(wrapper), std::move(options), std::move(variable),
                    levels);
}

Ref LogStreams::text_over(Attached&, PyObject* raw) const {
  const Ref arguments = Ref::steal(raw == nullptr ? nullptr : PyTuple_Pack(1, raw));
  Ref text = Ref::steal(arguments ? PyObject_Call(wrapper_.get(), arguments.get(), options_.get())
                                  : nullptr);
  const Ref mode = Ref::steal(text ? PyUnicode_InternFromString("w") : nullptr);
  if (!mode || PyObject_SetAttrString(text.get(), "mode", mode.get()) != 0) return {};
  return text;
}

Ref LogStreams::make_raw_ambient(Attached& py, const char* name, Output output) const {
  return make_native<LogStream>(raw_type_.get(),
                                LogStream{.name = name,
                                          .interpreter = &py.interpreter(),
                                          .output = output,
                                          .levels = levels_,
                                          .request_stream = Ref::share(request_stream_.get())});
}

Ref LogStreams::make_ambient(Attached& py, const char* name, Output output) const {
  return text_over(py, make_raw_ambient(py, name, output).get());
}

RequestStream LogStreams::take(Attached& py, SharedRequestLink link, OutputLogs& logs,
                               ServedRequest* served_or_null) {
  RequestStream stream;
  if (!spare_.empty()) {
    stream = std::move(spare_.back());
    spare_.pop_back();
  } else {
    stream.raw = make_native<LogStream>(raw_type_.get(), LogStream{.name = kRequestStream,
                                                                   .interpreter = &py.interpreter(),
                                                                   .output = Output::errors,
                                                                   .levels = levels_});
    stream.text = text_over(py, stream.raw.get());
    if (!stream.text) return {};
  }
  LogStream& raw = value_of<LogStream>(stream.raw.get());
  raw.link = std::move(link);
  raw.logs = &logs;
  raw.served_or_null = served_or_null;
  return stream;
}

void LogStreams::give_back(Attached&, RequestStream stream) noexcept {
  if (!stream.text || !is_untouched(stream) || spare_.size() == spare_.capacity()) return;
  LogStream& raw = value_of<LogStream>(stream.raw.get());
  raw.link.reset();
  raw.logs = nullptr;
  raw.served_or_null = nullptr;
  spare_.push_back(std::move(stream));
}

bool LogStreams::enter(Attached&, const RequestStream& stream) const {
  return bool(Ref::steal(PyContextVar_Set(request_stream_.get(), stream.raw.get())));
}

ContextLog::ContextLog(PyObject* raw_ambient)
    : py_(*value_of<LogStream>(raw_ambient).interpreter), sink_(&py_.interpreter().server_log()) {
  const Ref found = request_stream_for(py_, raw_ambient);
  if (found) link_ = value_of<LogStream>(found.get()).link;
  if (link_) use_.emplace(*link_);
  if (use_ && *use_) sink_ = &value_of<LogStream>(found.get()).logs->sink();
}

ContextRequest::ContextRequest(PyObject* raw_ambient, Absence absence)
    : py_(*value_of<LogStream>(raw_ambient).interpreter) {
  const Ref found = request_stream_for(py_, raw_ambient);
  if (found) link_ = value_of<LogStream>(found.get()).link;
  if (link_) use_.emplace(*link_);
  if (use_ && *use_) served_ = value_of<LogStream>(found.get()).served_or_null;
  if (served_ == nullptr && absence == Absence::refused) refuse_without_request();
}

}  // namespace pyhost::python
