#include "pyapi/metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "os/own_process.h"
#include "pyapi/dictionary.h"
#include "pyapi/module_state.h"
#include "pyapi/recorder.h"
#include "pyapi/server_metrics.h"
#include "python/native_type.h"

namespace pyhost::pyapi {
namespace {

using python::Attached;
using python::Ref;

constexpr double kMicrosecondsOfSecond = 1e6;

constexpr std::array<const char*, kPhases> kPhaseNames = {"server",      "queue",       "daemon",
                                                          "application", "request",     "gil_wait",
                                                          "input_read",  "output_write"};

double in_seconds(std::int64_t microseconds) noexcept {
  return double(microseconds) / kMicrosecondsOfSecond;
}

Moment now() noexcept {
  return {base::Clock::now(), base::now_us(), os::processor_use()};
}

Ref list_of(std::size_t size, auto&& item) {
  Ref list = Ref::steal(PyList_New(Py_ssize_t(size)));
  for (std::size_t i = 0; list && i < size; ++i) {
    PyObject* value = item(i);
    if (value == nullptr) return {};
    PyList_SET_ITEM(list.get(), Py_ssize_t(i), value);
  }
  return list;
}

Ref microseconds_or_none(const DurationSeries& series, std::int64_t value) {
  return series.count() == 0 ? Ref::share(Py_None) : Ref::steal(PyLong_FromLongLong(value));
}

// "queue_time", "queue_time_min_us" and so on. Some parts only requests to workers have.
void add_phase(Dictionary& dict, Phase phase, const DurationSeries& series, bool in_worker) {
  const std::string name = fmt::format("{}_time", kPhaseNames[static_cast<std::size_t>(phase)]);
  const bool missing = (phase == Phase::queue || phase == Phase::daemon) && !in_worker;
  if (missing) {
    dict.set(name.c_str(), Ref::share(Py_None));
  } else {
    const auto count = double(series.count());
    dict.set(name.c_str(), series.count() == 0 ? 0.0 : in_seconds(series.sum_us()) / count);
  }
  dict.set((name + "_min_us").c_str(), microseconds_or_none(series, series.min_us()));
  dict.set((name + "_max_us").c_str(), microseconds_or_none(series, series.max_us()));
  dict.set((name + "_buckets").c_str(), list_of(series.classes().size(), [&](std::size_t i) {
             return PyLong_FromUnsignedLongLong(series.classes()[i]);
           }));
}

void add_sums(Dictionary& dict, const RequestSums& sums, bool in_worker) {
  for (std::size_t i = 0; i < kPhases; ++i) add_phase(dict, Phase(i), sums.phases[i], in_worker);
  for (std::size_t i = 0; i < sums.statuses.size(); ++i) {
    dict.set(fmt::format("status_{}xx", i + 1).c_str(), sums.statuses[i]);
  }
  dict.set("gil_wait_count", sums.gil_waits);
  dict.set("input_bytes", sums.input_bytes);
  dict.set("input_reads", sums.input_reads);
  dict.set("output_bytes", sums.output_bytes);
  dict.set("output_writes", sums.output_writes);
}

// One entry for each thread that may serve requests.
void add_threads(Dictionary& dict, const Window& window, unsigned threads_max) {
  std::vector<ThreadFigures> threads = window.threads;
  threads.resize(std::max<std::size_t>(threads.size(), threads_max));
  const auto each = [&](const char* key, auto&& figure) {
    dict.set(key, list_of(threads.size(), [&](std::size_t i) { return figure(threads[i]); }));
  };
  const auto seconds = [&](const char* key, auto&& time) {
    each(key, [&](const ThreadFigures& of) { return PyFloat_FromDouble(time(of)); });
  };
  for (const char* key : {"request_threads_completed", "request_threads_buckets"}) {
    each(key, [](const ThreadFigures& of) { return PyLong_FromUnsignedLongLong(of.completed); });
  }
  seconds("request_threads_busy_time", [](const auto& of) { return base::seconds(of.busy); });
  seconds("request_threads_cpu_time", [](const auto& of) { return in_seconds(of.processor_us); });
  seconds("request_threads_current_elapsed",
          [](const auto& of) { return base::seconds(of.elapsed); });
  seconds("request_threads_max_duration", [](const auto& of) { return base::seconds(of.longest); });
  dict.set("request_threads_maximum", threads_max);
  dict.set("request_threads_started", window.threads_started);
  dict.set("request_threads_active", window.threads_active);
}

void add_rates(Dictionary& dict, const Window& window, unsigned threads_max) {
  const double period = base::seconds(window.end.point - window.start.point);
  const auto rate = [period](double amount) { return period > 0 ? amount / period : 0.0; };
  base::Clock::duration busy{};
  for (const ThreadFigures& thread : window.threads) busy += thread.busy;
  dict.set("sample_period", period);
  dict.set("request_throughput", rate(double(window.sums.count)));
  dict.set("capacity_utilization",
           std::min(rate(base::seconds(busy)) / std::max(threads_max, 1u), 1.0));
  const os::ProcessorUse &before = window.start.processor, &after = window.end.processor;
  const double user = rate(in_seconds(after.user_us - before.user_us));
  const double system = rate(in_seconds(after.system_us - before.system_us));
  for (const char* unit : {"utilization", "time"}) {
    dict.set(fmt::format("cpu_user_{}", unit).c_str(), user);
    dict.set(fmt::format("cpu_system_{}", unit).c_str(), system);
    dict.set(fmt::format("cpu_{}", unit).c_str(), user + system);
  }
}

void add_memory(Dictionary& dict) {
  dict.set("memory_rss", os::resident_bytes());
  dict.set("memory_max_rss", os::resident_bytes_max());
}

Ref request_figures(const ModuleState& state, const Window& window) {
  Dictionary dict;
  dict.set("pid", ::getpid());
  dict.set("start_time", in_seconds(window.start.us));
  dict.set("stop_time", in_seconds(window.end.us));
  dict.set("request_count", window.sums.count);
  add_rates(dict, window, state.threads_max);
  add_threads(dict, window, state.threads_max);
  add_sums(dict, window.sums, state.place == Place::worker);
  add_memory(dict);
  return dict.take();
}

Ref threads_of(const Totals& totals) {
  Ref list = Ref::steal(PyList_New(0));
  for (std::size_t i = 0; list && i < totals.counts.size(); ++i) {
    if (totals.counts[i] == 0) continue;
    const Ref thread =
        Ref::steal(Py_BuildValue("{s:n,s:K}", "thread_id", Py_ssize_t(i + 1), "request_count",
                                 static_cast<unsigned long long>(totals.counts[i])));
    if (!thread || PyList_Append(list.get(), thread.get()) != 0) return {};
  }
  return list;
}

Ref process_figures(const Totals& totals) {
  Dictionary dict;
  const Moment moment = now();
  const std::int64_t start_us = os::start_of_process_us();
  const auto used = std::size_t(
      std::ranges::count_if(totals.counts, [](std::uint64_t requests) { return requests != 0; }));
  dict.set("pid", ::getpid());
  dict.set("restart_time", in_seconds(start_us));
  dict.set("current_time", in_seconds(moment.us));
  dict.set("running_time", static_cast<std::int64_t>(in_seconds(moment.us - start_us)));
  dict.set("request_count", totals.count);
  dict.set("request_busy_time", base::seconds(totals.busy));
  dict.set("request_threads", used);
  dict.set("active_requests", totals.active);
  dict.set("cpu_user_time", in_seconds(moment.processor.user_us));
  dict.set("cpu_system_time", in_seconds(moment.processor.system_us));
  dict.set("cpu_time", in_seconds(moment.processor.user_us + moment.processor.system_us));
  dict.set("threads", threads_of(totals));
  add_memory(dict);
  return dict.take();
}

PyObject* start_recording_metrics(PyObject* module, PyObject*) {
  return python::py_entry([&]() -> PyObject* {
    state_of(module).recorder.start(now());
    Py_RETURN_NONE;
  });
}

PyObject* request_metrics(PyObject* module, PyObject*) {
  return python::py_entry([&]() -> PyObject* {
    ModuleState& state = state_of(module);
    if (!state.recorder.is_started()) Py_RETURN_NONE;
    return request_figures(state, state.recorder.take_window(now())).release();
  });
}

PyObject* process_metrics(PyObject* module, PyObject*) {
  return python::py_entry([&]() -> PyObject* {
    Recorder& recorder = state_of(module).recorder;
    if (!recorder.is_started()) Py_RETURN_NONE;
    return process_figures(recorder.totals(base::Clock::now())).release();
  });
}

PyObject* server_metrics(PyObject* module, PyObject*) {
  return python::py_entry([&]() -> PyObject* {
    ModuleState& state = state_of(module);
    if (state.server_view_or_null == nullptr) Py_RETURN_NONE;
    python::CalledByPython py(state.interpreter);
    return server_figures(py, *state.server_view_or_null).release();
  });
}

PyMethodDef metrics_methods[] = {
    {"start_recording_metrics", start_recording_metrics, METH_NOARGS,
     "start_recording_metrics()\n--\n\n"
     "Count the requests of this process from now on, in all of its interpreters."},
    {"request_metrics", request_metrics, METH_NOARGS,
     "request_metrics()\n--\n\n"
     "What the requests since the last call come to, as a dict; None before "
     "start_recording_metrics()."},
    {"process_metrics", process_metrics, METH_NOARGS,
     "process_metrics()\n--\n\n"
     "What the process comes to, as a dict; None before start_recording_metrics()."},
    {"server_metrics", server_metrics, METH_NOARGS,
     "server_metrics()\n--\n\n"
     "httpd's scoreboard, as a dict; None where that cannot be seen."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

bool add_metrics(Attached&, PyObject* module) {
  return PyModule_AddFunctions(module, metrics_methods) == 0;
}

}  // namespace pyhost::pyapi
