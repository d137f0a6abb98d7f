#include "engine/local_watch.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/out_of_memory.h"
#include "engine/application_group.h"
#include "pyhost/base/unique_fd.h"
#include "python/compat.h"
#include "python/error.h"

namespace pyhost::engine {
namespace {

using python::Attached;
using python::Interpreter;
using python::InterpreterExecutor;
using python::Ref;

using gateway::StackOwners;

// The threads whose stacks are wanted, [(number, label), ...]; null with an exception pending.
Ref threads_in(Attached& py, StackOwners whose) {
  const ApplicationGroup& group = application_group_of(py.interpreter());
  auto threads = group.calls.threads(py);
  const asgi::EventLoop* const loop = group.loop_or_null();
  if (const auto thread = loop != nullptr ? loop->thread(py) : std::nullopt) {
    threads.emplace_back(*thread, "the event loop");
  }
  if (whose == StackOwners::all) {
    for (const unsigned long number : python::thread_numbers()) {
      const bool is_call =
          std::ranges::find(threads, number, &std::pair<unsigned long, std::string>::first) !=
          threads.end();
      if (!is_call) threads.emplace_back(number, "");
    }
  }
  Ref list = Ref::steal(PyList_New(0));
  if (!list) return {};
  for (const auto& [number, label] : threads) {
    const Ref entry = Ref::steal(Py_BuildValue("(ks)", number, label.c_str()));
    if (!entry || PyList_Append(list.get(), entry.get()) != 0) return {};
  }
  return list;
}

// As a str; null with an exception pending. Of an event loop, its thread says what runs, and its
// tasks say what waits.
Ref stacks_in(Attached& py, StackOwners whose) {
  const Ref threads = threads_in(py, whose);
  if (!threads) return {};
  Ref stacks =
      Ref::steal(PyObject_CallMethod(py.interpreter().support(), "stacks_of", "O", threads.get()));
  const asgi::EventLoop* const loop = application_group_of(py.interpreter()).loop_or_null();
  if (!stacks || loop == nullptr) return stacks;
  const Ref tasks = loop->task_stacks(py);
  if (!tasks || PyUnicode_GET_LENGTH(tasks.get()) == 0) return tasks ? std::move(stacks) : Ref();
  if (PyUnicode_GET_LENGTH(stacks.get()) == 0) return tasks.clone();
  return Ref::steal(PyUnicode_FromFormat("%U\n%U", stacks.get(), tasks.get()));
}

std::string read_whole(int fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return "";
  std::string text(static_cast<std::size_t>(file.st_size), '\0');
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

}  // namespace

template <class F>
void LocalWatch::for_each(F action) {
  const auto interpreters = interpreters_.all();
  const std::lock_guard lock(mutex_);
  for (Interpreter* interpreter : interpreters) {
    const auto [entry, made] = executors_.try_emplace(interpreter);
    if (made) {
      auto executor = std::make_unique<InterpreterExecutor>(*interpreter);
      if (executor->start()) entry->second = std::move(executor);
    }
    if (entry->second) action(*interpreter, *entry->second);
  }
}

// Their threads go on.
LocalWatch::~LocalWatch() {
  for (auto& [interpreter, executor] : executors_) static_cast<void>(executor.release());
}

void LocalWatch::interrupt(const gateway::Caller& caller, base::TimePoint moment) noexcept {
  base::if_memory_allows([&] {
    for_each([&caller, moment](Interpreter& interpreter, InterpreterExecutor& executor) {
      if (asgi::EventLoop* loop = application_group_of(interpreter).loop_or_null()) {
        loop->interrupt(caller, moment);
      }
      executor.post([&caller, moment](Attached& py) {
        ApplicationGroup& group = application_group_of(py.interpreter());
        group.calls.interrupt_run(py, caller, moment, group.adapter.request_timeout());
      });
    });
  });
}

void LocalWatch::interrupt_preloads() noexcept {
  base::if_memory_allows([&] {
    for_each([](Interpreter&, InterpreterExecutor& executor) {
      executor.post([](Attached& py) {
        application_group_of(py.interpreter()).calls.interrupt_preloads(py, PyExc_SystemExit);
      });
    });
  });
}

std::size_t LocalWatch::collect_stacks(StackOwners whose,
                                       std::function<void(std::string_view)> take) noexcept {
  std::size_t number = 0;
  base::if_memory_allows([&] {
    for_each([&](Interpreter&, InterpreterExecutor& executor) {
      executor.post([whose, take](Attached& py) {
        const Ref stacks = stacks_in(py, whose);
        std::string text =
            stacks ? python::to_utf8(py, stacks.get()) : python::PythonError::take(py).summary(py);
        if (whose == StackOwners::all) text = "in " + py.interpreter().phrase() + "\n" + text;
        take(text);
      });
      ++number;
    });
  });
  return number;
}

std::string LocalWatch::stacks_without_lock() noexcept {
  const auto answer = [&] {
    const base::UniqueFd file(::memfd_create("pyhost-stacks", MFD_CLOEXEC));
    bool complete = file.valid();
    for (Interpreter* interpreter : interpreters_.all()) {
      complete = complete && python::dump_stacks_without_lock(file.get(), interpreter->state());
    }
    return file.valid() ? read_whole(file.get()) : "";
  };
  return base::unless_out_of_memory(answer, [] { return std::string(); });
}

std::optional<gateway::InterpreterWait> LocalWatch::probe_locks() noexcept {
  const auto answer = [&] {
    std::optional<gateway::InterpreterWait> longest;
    for_each([&longest](Interpreter& interpreter, InterpreterExecutor& executor) {
      const auto since = executor.waiting_since();
      if (since && (!longest || *since < longest->since)) {
        longest = gateway::InterpreterWait{*since, interpreter.phrase()};
      }
      executor.ask();
    });
    return longest;
  };
  return base::unless_out_of_memory(answer,
                                    [] { return std::optional<gateway::InterpreterWait>(); });
}

LocalWatch::LoopProbe LocalWatch::probe_loops() noexcept {
  const auto answer = [&] {
    LoopProbe probe;
    for (const Interpreter* interpreter : interpreters_.all()) {
      asgi::EventLoop* const loop = application_group_of(*interpreter).loop_or_null();
      if (loop == nullptr || !loop->is_running()) continue;
      probe.any = true;
      const auto since = loop->probe();
      if (since && (!probe.longest || *since < probe.longest->since)) {
        probe.longest = gateway::InterpreterWait{*since, interpreter->phrase()};
      }
    }
    return probe;
  };
  return base::unless_out_of_memory(answer, [] { return LoopProbe(); });
}

std::vector<gateway::Script> LocalWatch::imported_scripts() {
  std::vector<gateway::Script> imported;
  for (const Interpreter* interpreter : interpreters_.all()) {
    for (gateway::Script& script : application_group_of(*interpreter).scripts.imported()) {
      script.application_group = interpreter->name();
      imported.push_back(std::move(script));
    }
  }
  return imported;
}

// What has no callable is no application.
bool LocalWatch::serves_by_loops_only() {
  bool any = false;
  for (const Interpreter* interpreter : interpreters_.all()) {
    const ApplicationGroup& group = application_group_of(*interpreter);
    const asgi::EventLoop* const loop = group.loop_or_null();
    for (gateway::Script& script : group.scripts.imported()) {
      if (script.callable.empty()) continue;
      script.application_group = interpreter->name();
      if (loop == nullptr || !loop->has(script_key(script), script.callable)) return false;
      any = true;
    }
  }
  return any;
}

}  // namespace pyhost::engine
