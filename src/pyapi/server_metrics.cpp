#include "pyapi/server_metrics.h"

#include "base/clock.h"
#include "pyapi/dictionary.h"

namespace pyhost::pyapi {
namespace {

using gateway::ServerBoard;
using gateway::ServerProcess;
using gateway::ServerThread;
using python::Ref;

double seconds_from(std::int64_t microseconds) noexcept {
  constexpr double kMicroseconds = 1e6;
  return double(microseconds) / kMicroseconds;
}

Ref figures_of(const ServerThread& thread) {
  Dictionary dict;
  dict.set("thread_num", thread.number);
  dict.set("generation", thread.generation);
  dict.set("status", std::string_view(&thread.status, 1));
  dict.set("access_count", thread.access_count);
  dict.set("bytes_served", thread.bytes_served);
  dict.set("start_time", seconds_from(thread.start_us));
  dict.set("stop_time", seconds_from(thread.stop_us));
  dict.set("last_used", seconds_from(thread.last_used_us));
  dict.set("client", thread.client);
  dict.set("request", thread.request);
  dict.set("vhost", thread.vhost);
  return dict.take();
}

Ref figures_of(const ServerProcess& process);

template <class T>
Ref figures_of(const std::vector<T>& all) {
  Ref list = Ref::steal(PyList_New(0));
  for (const T& each : all) {
    const Ref figures = list ? figures_of(each) : Ref();
    if (!figures || PyList_Append(list.get(), figures.get()) != 0) return {};
  }
  return list;
}

Ref figures_of(const ServerProcess& process) {
  Dictionary dict;
  dict.set("process_num", process.number);
  dict.set("pid", process.pid);
  dict.set("generation", process.generation);
  dict.set("quiescing", Ref::share(process.quiescing ? Py_True : Py_False));
  dict.set("workers", figures_of(process.threads));
  return dict.take();
}

std::optional<ServerBoard> look_detached(python::Attached& py, const gateway::ServerView& view) {
  const python::DetachScope detached(py);
  return view.look();
}

}  // namespace

Ref server_figures(python::Attached& py, const gateway::ServerView& view) {
  const auto seen = look_detached(py, view);
  if (!seen) return Ref::share(Py_None);
  const ServerBoard& board = *seen;
  const std::int64_t now_us = base::now_us();
  Dictionary dict;
  dict.set("server_limit", board.server_limit);
  dict.set("thread_limit", board.thread_limit);
  dict.set("running_generation", board.generation);
  dict.set("restart_time", seconds_from(board.restart_us));
  dict.set("current_time", seconds_from(now_us));
  dict.set("running_time", static_cast<std::int64_t>(seconds_from(now_us - board.restart_us)));
  dict.set("processes", figures_of(board.processes));
  return dict.take();
}

}  // namespace pyhost::pyapi
