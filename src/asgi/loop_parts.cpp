#include "asgi/loop_parts.h"

#include <utility>

#include "asgi/support.h"
#include "python/compat.h"
#include "python/error.h"

namespace pyhost::asgi {

using python::Attached;
using python::Ref;

namespace {

Ref interned(const char* text) {
  return Ref::steal(PyUnicode_InternFromString(text));
}

Ref attribute_of_asyncio(const char* name) {
  const Ref asyncio = Ref::steal(PyImport_ImportModule("asyncio"));
  return Ref::steal(asyncio ? PyObject_GetAttrString(asyncio.get(), name) : nullptr);
}

Ref disconnection_type() {
  return Ref::steal(PyErr_NewExceptionWithDoc(
      "mod_wsgi.ClientDisconnected",
      "Raised by send() where nobody listens any more (ASGI WebSocket, \"Disconnect\").",
      PyExc_OSError, nullptr));
}

}  // namespace

base::Result<LoopParts> LoopParts::make(Attached& py, const LoopInputs& inputs, const Names& names,
                                        Ref loop) {
  PH_TRY(scopes, ScopeFactory::make(py, names, inputs.kind_of_scopes));
  PyObject* const of_loop = loop.get();
  LoopParts parts{.interpreter = inputs.interpreter,
                  .streams = inputs.streams,
                  .requests = inputs.requests,
                  .logging = inputs.logging,
                  .names = names,
                  .http_spec = inputs.kind_of_scopes.http_spec,
                  .scopes = std::move(scopes),
                  .thread = PyThread_get_thread_ident(),
                  .loop = std::move(loop),
                  .create_future = Ref::steal(PyObject_GetAttrString(of_loop, "create_future")),
                  .create_task = Ref::steal(PyObject_GetAttrString(of_loop, "create_task")),
                  .as_coroutine = support_function(py, "as_coroutine"),
                  .context = Ref::steal(PyContext_CopyCurrent()),
                  .cancelled_error = attribute_of_asyncio("CancelledError"),
                  .client_disconnected = disconnection_type(),
                  .add_done_callback = interned("add_done_callback"),
                  .cancel = interned("cancel"),
                  .done = interned("done"),
                  .result = interned("result"),
                  .set_result = interned("set_result")};
  if (PyErr_Occurred() != nullptr) return base::fail(python::PythonError::take(py).summary(py));
  return parts;
}

bool LoopParts::is_called_on_loop() const {
  if (PyThread_get_thread_ident() == thread) return true;
  PyErr_SetString(
      PyExc_RuntimeError,
      "receive() and send() can be awaited by the event loop that runs the application, "
      "and by no other");
  return false;
}

Ref LoopParts::new_future() const {
  return Ref::steal(PyObject_CallNoArgs(create_future.get()));
}

Ref LoopParts::new_task(PyObject* awaitable) const {
  const Ref coroutine = PyCoro_CheckExact(awaitable)
                            ? Ref::share(awaitable)
                            : Ref::steal(PyObject_CallOneArg(as_coroutine.get(), awaitable));
  return Ref::steal(coroutine ? PyObject_CallOneArg(create_task.get(), coroutine.get()) : nullptr);
}

Ref call_application(PyObject* application, gateway::Protocol protocol, PyObject* scope,
                     const Ref& receive, const Ref& send) {
  PyObject* const arguments[] = {scope, receive.get(), send.get()};
  if (protocol != gateway::Protocol::asgi2) {
    return Ref::steal(PyObject_Vectorcall(application, arguments, 3, nullptr));
  }
  const Ref instance = Ref::steal(PyObject_CallOneArg(application, scope));
  return Ref::steal(instance ? PyObject_Vectorcall(instance.get(), arguments + 1, 2, nullptr)
                             : nullptr);
}

Ref Waiters::add(const LoopParts& parts) {
  Ref future = parts.new_future();
  if (future) futures_.push_back(future.clone());
  return future;
}

// One that was cancelled is done. An exception may be pending that is the caller's.
void Waiters::wake(Attached& py, const LoopParts& parts) {
  if (futures_.empty()) return;
  Ref pending = PyErr_Occurred() != nullptr ? python::take_raised_exception() : Ref();
  for (const Ref& future : std::exchange(futures_, {})) {
    const Ref done = Ref::steal(PyObject_CallMethodNoArgs(future.get(), parts.done.get()));
    const bool waits = done.get() == Py_False;
    if (waits) {
      Ref::steal(PyObject_CallMethodOneArg(future.get(), parts.set_result.get(), Py_None));
    }
    python::discard_error(py);
  }
  if (pending) python::raise_exception(std::move(pending));
}

}  // namespace pyhost::asgi
