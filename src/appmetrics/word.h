// A word of the memory of application metrics.
#pragma once

#include <atomic>

namespace pyhost::appmetrics {

// Touched by several processes at the same time. Its own header because a test puts another one in
// its place, to run what shares words in every order; see tests/unit/appmetrics/model.
template <class T>
using Word = std::atomic<T>;

}  // namespace pyhost::appmetrics
