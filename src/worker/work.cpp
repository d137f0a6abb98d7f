#include "worker/work.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <iterator>

#include "base/clock.h"
#include "control/worker_orders.h"
#include "worker/stacks.h"

namespace pyhost::worker {
namespace {

void append_request(std::string& work, const ThreadPool& pool, const RunningRequest& request) {
  RequestLine line;
  pool.with(request,
            [&](WatchedRequest& watched) { line = watched.request_line_of(request.number); });
  fmt::format_to(std::back_inserter(work), "{}: {} {}, {} for {:.3f} s\n",
                 ThreadPool::runner_of(request), line.method.empty() ? "a request" : line.method,
                 line.path, request.importing ? "importing its script" : "running",
                 base::seconds(base::Clock::now() - request.began));
}

}  // namespace

std::string describe_work(gateway::EngineWatch* watch_or_null, const ThreadPool* pool_or_null) {
  std::string work;
  if (pool_or_null != nullptr) {
    for (const RunningRequest& request : pool_or_null->requests_running()) {
      append_request(work, *pool_or_null, request);
    }
  }
  if (watch_or_null == nullptr) return work + "Python does not run yet";
  return work + collect_stacks(*watch_or_null, gateway::StackOwners::all);
}

void tell(int pipe, std::string_view work) noexcept {
  ::fcntl(pipe, F_SETFL, O_NONBLOCK);
  work = work.substr(0, control::kWorkTextMax);
  while (!work.empty()) {
    const ssize_t written = ::write(pipe, work.data(), work.size());
    if (written <= 0) return;
    work.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace pyhost::worker
