#include "python/script_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "os/user_name.h"
#include "pyhost/base/unique_fd.h"
#include "pyhost/gateway/factory.h"
#include "python/callable_lookup.h"
#include "python/error.h"
#include "python/script_module.h"

namespace pyhost::python {
namespace {

using base::Message;

// A file's text, or why it is not to be had.
struct Source {
  base::Message message = base::Message::none;
  std::string summary;
  std::string text;  // or details
};

base::Result<std::string> read_all(int file) {
  std::string text;
  char chunk[16 * 1024];
  while (true) {
    const ssize_t count = read(file, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(std::strerror(errno));
    if (count == 0) return text;
    text.append(chunk, std::size_t(count));
  }
}

// What is looked at is what is read: between a look at the path and its opening it may be given to
// another file.
Source read_source(const std::string& path, const LoadingRules& rules) {
  // A file that is closed is so to somebody.
  const auto failed = [](const std::string& why) {
    const std::string user = errno == EACCES ? " by user " + os::name_of_user(geteuid()) : "";
    return Source{Message::script_unreadable,
                  fmt::format("the file cannot be read{}: {}", user, why), ""};
  };
  const base::UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat found {};
  if (!file.valid() || fstat(file.get(), &found) != 0) return failed(std::strerror(errno));
  if (const auto owned = gateway::check_owner(rules.script_owner, path, found); !owned) {
    return {Message::script_owner_refused, "script-user= or script-group= of its group forbids it",
            owned.error().sentence};
  }
  auto text = read_all(file.get());
  if (!text) return failed(text.error().sentence);
  return {Message::none, "", *std::move(text)};
}

// While it lives the calling thread is the main thread, to itself.
class MainThreadScope {
 public:
  explicit MainThreadScope(Attached& py) : py_(py) { call("begin_import"); }
  MainThreadScope(const MainThreadScope&) = delete;
  MainThreadScope& operator=(const MainThreadScope&) = delete;
  ~MainThreadScope() { call("end_import"); }

 private:
  void call(const char* function) noexcept {
    if (!Ref::steal(PyObject_CallMethod(py_.interpreter().support(), function, nullptr))) {
      discard_error(py_);
    }
  }

  Attached& py_;
};

Import import_file(Attached& py, const std::string& path, const LoadingRules& rules) {
  Source source;
  {
    const DetachScope detached(py);
    source = read_source(path, rules);
  }
  if (source.message != Message::none) {
    return {.module = {},
            .message = source.message,
            .summary = std::move(source.summary),
            .details = std::move(source.text)};
  }
  const Ref path_text =
      Ref::steal(PyUnicode_DecodeFSDefaultAndSize(path.data(), Py_ssize_t(path.size())));
  const Ref code = path_text ? compile_script(source.text, path_text.get()) : Ref();
  if (!code) return failed_import(py, Message::script_unreadable);
  const std::string name = script_module_name(path, rules.case_sensitive_paths);
  Ref module = run_script(py, name, path_text.get(), code.get());
  return module ? Import{.module = std::move(module)} : failed_import(py, Message::script_raised);
}

Import import_module(Attached& py, const std::string& name) {
  Ref module = Ref::steal(PyImport_ImportModule(name.c_str()));
  return module ? Import{.module = std::move(module)} : failed_import(py, Message::script_raised);
}

}  // namespace

std::string phrase_of(const gateway::Target& target) {
  const bool is_file = target.kind == gateway::TargetKind::file;
  return fmt::format("{} {}", is_file ? "script" : "module", target.script);
}

Import failed_import(Attached& py, Message message) {
  const PythonError error = PythonError::take(py);
  return {
      .module = {},
      .message = error.is(PyExc_SystemExit) ? Message::script_exited : message,
      .summary = error.summary(py),
      .details = error.traceback(py),
      .advice = error.advice(py),
      .refuses_subinterpreters = !py.interpreter().is_main() && error.refuses_subinterpreters(py)};
}

Import import_here(Attached& py, const gateway::Target& target, const LoadingRules& rules) {
  const MainThreadScope main_thread(py);
  const std::string name(target.script);
  const bool is_file = target.kind == gateway::TargetKind::file;
  Import import = is_file ? import_file(py, name, rules) : import_module(py, name);
  if (!import.module || !gateway::is_factory(target.callable)) return import;
  return apply_factory(py, std::move(import.module), target);
}

Import apply_factory(Attached& py, Ref module, const gateway::Target& target) {
  Ref made = application_made_by(py, module.get(), target);
  if (made || PyErr_Occurred() == nullptr) {
    return {.module = std::move(module), .application = std::move(made)};
  }
  Import failed = failed_import(py, Message::script_raised);
  failed.summary = fmt::format("{} failed: {}", target.callable, failed.summary);
  return failed;
}

}  // namespace pyhost::python
