// What a worker does at this moment, for an operator.
#pragma once

#include <string>
#include <string_view>

#include "pyhost/gateway/engine_watch.h"
#include "worker/thread_pool.h"

namespace pyhost::worker {

// A line for each request that runs, and the stacks of all threads that run Python code. Null:
// there are none yet. Waits as collect_stacks() does.
std::string describe_work(gateway::EngineWatch* watch_or_null, const ThreadPool* pool_or_null);

// Writes it to that pipe, as much as there is room for: whoever reads need not be waited for.
void tell(int pipe, std::string_view work) noexcept;

}  // namespace pyhost::worker
