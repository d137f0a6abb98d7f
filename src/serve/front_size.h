// How many requests httpd takes at a time.
#pragma once

#include <cstdint>

#include "serve/serve_options.h"

namespace pyhost::serve {

struct FrontSize {
  int threads_per_child = 0;
  int children = 0;

  int requests() const noexcept { return threads_per_child * children; }
};

enum class Workers { none, with_threads, with_event_loops };

// With workers: more than they run and let wait together, so that files never wait behind Python.
// Embedded: one child with the application's threads.
FrontSize front_size(const ServeOptions& options, Workers workers);

// How many requests each worker runs at a time.
std::int64_t places_of_worker(const ServeOptions& options, Workers workers);

}  // namespace pyhost::serve
