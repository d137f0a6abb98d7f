#include "serve/front_size.h"

#include <algorithm>
#include <cstdint>

#include "base/parse.h"
#include "settings/process_group.h"

namespace pyhost::serve {
namespace {

constexpr std::int64_t kThreadsPerChild = 64;
// For files, and connections that are being closed.
constexpr std::int64_t kSpareThreads = 32;
// A queue without a practical bound gets no thread for each of its places.
constexpr std::int64_t kRequestsMax = 4096;

std::int64_t queue_of(const ServeOptions& options) {
  if (const auto given = base::parse_unsigned(options.queue)) {
    return static_cast<std::int64_t>(std::min<std::uint64_t>(*given, kRequestsMax));
  }
  return settings::ProcessGroup().queue;
}

}  // namespace

std::int64_t places_of_worker(const ServeOptions& options, Workers workers) {
  if (workers != Workers::with_event_loops) return options.threads;
  const auto given = base::parse_unsigned(options.connections);
  const std::int64_t connections =
      given ? static_cast<std::int64_t>(std::min<std::uint64_t>(*given, kRequestsMax))
            : settings::ProcessGroup().connections;
  return std::max<std::int64_t>(options.threads, connections);
}

FrontSize front_size(const ServeOptions& options, Workers workers) {
  if (workers == Workers::none) return {.threads_per_child = options.threads, .children = 1};
  const std::int64_t running = static_cast<std::int64_t>(std::max(options.processes, 1)) *
                               places_of_worker(options, workers);
  std::int64_t requests =
      std::min(running + queue_of(options), std::max(running, kRequestsMax)) + kSpareThreads;
  if (options.max_clients != 0) requests = std::max<std::int64_t>(options.max_clients, running);
  const std::int64_t children = (requests + kThreadsPerChild - 1) / kThreadsPerChild;
  return {.threads_per_child = static_cast<int>(kThreadsPerChild),
          .children = static_cast<int>(children)};
}

}  // namespace pyhost::serve
