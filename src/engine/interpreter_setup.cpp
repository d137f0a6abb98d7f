#include "engine/interpreter_setup.h"

#include <fmt/format.h>

#include "python/error.h"
#include "python/native_type.h"
#include "python/support.h"

namespace pyhost::engine {
namespace {

using base::LogLevel;
using base::Message;
using python::Attached;
using python::DetachScope;
using python::Interpreter;
using python::PythonError;
using python::Ref;

base::Result<> raised(Attached& py, std::string_view doing) {
  return base::fail(fmt::format("{}: {}", doing, PythonError::take(py).summary(py)));
}

// The log function of restrict_signals(): its self is a capsule around the interpreter.
PyObject* log_ignored_signal(PyObject* capsule, PyObject* text) {
  return python::py_entry([&]() -> PyObject* {
    auto* interpreter = static_cast<Interpreter*>(PyCapsule_GetPointer(capsule, nullptr));
    if (interpreter == nullptr) return nullptr;
    python::CalledByPython py(*interpreter);
    const std::string sentence = python::to_utf8(py, text);
    {
      const DetachScope detached(py);
      interpreter->server_log().log(LogLevel::info, Message::signal_ignored, sentence);
    }
    Py_RETURN_NONE;
  });
}

PyMethodDef log_method = {"log", log_ignored_signal, METH_O, nullptr};

base::Result<> restrict_signals(Attached& py, Interpreter& interpreter) {
  const Ref capsule = Ref::steal(PyCapsule_New(&interpreter, nullptr, nullptr));
  const Ref log = Ref::steal(capsule ? PyCFunction_New(&log_method, capsule.get()) : nullptr);
  const Ref done = Ref::steal(
      log ? PyObject_CallMethod(interpreter.support(), "restrict_signals", "O", log.get())
          : nullptr);
  return done ? base::Result<>() : raised(py, "signal.signal() cannot be restricted");
}

base::Result<> unblock_programs(Attached& py, Interpreter& interpreter) {
  const Ref done =
      Ref::steal(PyObject_CallMethod(interpreter.support(), "unblock_programs", nullptr));
  return done ? base::Result<>() : raised(py, "signals of programs cannot be unblocked");
}

// A list of str.
Ref paths_of(const std::vector<std::string>& paths) {
  Ref list = Ref::steal(PyList_New(0));
  for (const std::string& path : paths) {
    const Ref text = Ref::steal(PyUnicode_DecodeFSDefault(path.c_str()));
    if (!list || !text || PyList_Append(list.get(), text.get()) != 0) return {};
  }
  return list;
}

void log_path_failure(Attached& py, Interpreter& interpreter, PyObject* entry,
                      PyObject* traceback) {
  const std::string text =
      fmt::format("'{}' could not be added to the Python path of {}\n{}",
                  python::to_utf8(py, entry), interpreter.phrase(), python::to_utf8(py, traceback));
  const DetachScope detached(py);
  interpreter.server_log().log(LogLevel::error, Message::python_path_failed, text);
}

base::Result<> extend_path(Attached& py, Interpreter& interpreter,
                           const gateway::EngineSettings& settings) {
  if (settings.first_path.empty() && settings.python_path.empty()) return {};
  const Ref first = Ref::steal(PyUnicode_DecodeFSDefault(settings.first_path.c_str()));
  const Ref entries = paths_of(settings.python_path);
  const Ref failures =
      Ref::steal(first && entries ? PyObject_CallMethod(interpreter.support(), "extend_path", "OO",
                                                        first.get(), entries.get())
                                  : nullptr);
  if (!failures) return raised(py, "sys.path cannot be extended");
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(failures.get()); ++i) {
    PyObject* const failure = PyList_GET_ITEM(failures.get(), i);
    log_path_failure(py, interpreter, PyTuple_GET_ITEM(failure, 0), PyTuple_GET_ITEM(failure, 1));
  }
  return {};
}

base::Result<> set_stream(Attached& py, const char* name, Ref stream) {
  if (stream && PySys_SetObject(name, stream.get()) == 0) return {};
  return raised(py, fmt::format("sys.{} cannot be replaced", name));
}

base::Result<> restrict(Attached& py, Interpreter& interpreter, const char* stream,
                        const char* directive) {
  const Ref done =
      Ref::steal(PyObject_CallMethod(interpreter.support(), "restrict", "ss", stream, directive));
  return done ? base::Result<>() : raised(py, fmt::format("sys.{} cannot be restricted", stream));
}

base::Result<> replace_streams(Attached& py, Interpreter& interpreter,
                               const gateway::EngineSettings& settings,
                               const python::LogStreams& streams) {
  PH_TRY_VOID(
      set_stream(py, "stderr", streams.make_ambient(py, "<stderr>", python::Output::errors)));
  if (settings.interactive) return {};
  if (settings.restrict_stdin) {
    PH_TRY_VOID(restrict(py, interpreter, "stdin", "WSGIRestrictStdin"));
  }
  if (settings.restrict_stdout) return restrict(py, interpreter, "stdout", "WSGIRestrictStdout");
  return set_stream(py, "stdout", streams.make_ambient(py, "<stdout>", python::Output::standard));
}

base::Result<> set_switch_interval(Attached& py, double seconds) {
  const Ref sys = Ref::steal(PyImport_ImportModule("sys"));
  const Ref done =
      Ref::steal(sys ? PyObject_CallMethod(sys.get(), "setswitchinterval", "d", seconds) : nullptr);
  return done ? base::Result<>() : raised(py, "the switch interval cannot be set");
}

// Up to CPython 3.11 asyncio's C accelerator keeps the running loop and all tasks in variables of
// the process, so that interpreters got each other's. asyncio does without it.
base::Result<> keep_asyncio_apart(Attached& py) {
  constexpr char kAccelerator[] = "_asyncio";
  const bool shared = PY_VERSION_HEX < 0x030C0000 && !py.interpreter().is_main();
  if (!shared || PyDict_SetItemString(PyImport_GetModuleDict(), kAccelerator, Py_None) == 0) {
    return {};
  }
  return raised(py, "asyncio cannot be kept apart");
}

}  // namespace

base::Result<> prepare_interpreter(Attached& py, Interpreter& interpreter,
                                   const gateway::EngineSettings& settings,
                                   const python::LogStreams& streams) {
  PH_TRY_VOID(python::install_support(py, interpreter));
  PH_TRY_VOID(keep_asyncio_apart(py));
  if (settings.switch_interval_seconds) {
    PH_TRY_VOID(set_switch_interval(py, *settings.switch_interval_seconds));
  }
  PH_TRY_VOID(replace_streams(py, interpreter, settings, streams));
  if (settings.thread_signals == gateway::ThreadSignals::blocked) {
    PH_TRY_VOID(unblock_programs(py, interpreter));
  }
  if (settings.restrict_signal) PH_TRY_VOID(restrict_signals(py, interpreter));
  return extend_path(py, interpreter, settings);
}

}  // namespace pyhost::engine
