#include "python/script_module.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "python/compat.h"
#include "python/error.h"

namespace pyhost::python {

std::string script_module_name(std::string path, bool case_sensitive) {
  if (!case_sensitive) {
    std::ranges::transform(path, path.begin(), [](unsigned char c) {
      return c >= 'A' && c <= 'Z' ? char(c + ('a' - 'A')) : char(c);
    });
  }
  std::uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const unsigned char byte : path) hash = (hash ^ byte) * 0x100000001b3u;
  return fmt::format("_mod_wsgi_{:016x}", hash);
}

// compile() rather than Py_CompileString(): it takes bytes and honours PEP 263 cookies.
Ref compile_script(std::string_view source, PyObject* path) {
  const Ref text = Ref::steal(PyBytes_FromStringAndSize(source.data(), Py_ssize_t(source.size())));
  const Ref builtins = Ref::steal(text ? PyImport_ImportModule("builtins") : nullptr);
  constexpr int kNoFlags = 0;
  return Ref::steal(builtins ? PyObject_CallMethod(builtins.get(), "compile", "OOsiO", text.get(),
                                                   path, "exec", kNoFlags, Py_True)
                             : nullptr);
}

Ref run_script(Attached& py, const std::string& name, PyObject* path, PyObject* code) {
  const Ref key = Ref::steal(PyUnicode_FromString(name.c_str()));
  Ref module = Ref::steal(
      key ? PyObject_CallMethod(py.interpreter().support(), "new_script", "OO", key.get(), path)
          : nullptr);
  if (!module) return {};
  PyObject* const names = PyModule_GetDict(module.get());
  PyObject* const modules = PyImport_GetModuleDict();
  if (PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) != 0 ||
      PyDict_SetItem(modules, key.get(), module.get()) != 0) {
    return {};
  }
  if (Ref::steal(PyEval_EvalCode(code, names, names))) {
    Ref registered = get_item(modules, key.get());
    if (registered) return registered;
    discard_error(py);
    return module;
  }
  PythonError error = PythonError::take(py);
  if (PyDict_DelItem(modules, key.get()) != 0) discard_error(py);
  std::move(error).restore(py);
  return {};
}

}  // namespace pyhost::python
