// What becomes of code for which no memory is left.
#pragma once

#include <new>
#include <type_traits>
#include <utility>

namespace pyhost::base {

// Does `body`, or `otherwise` from where memory for it ran out: a barrier around what belongs to
// one request, so that the others go on. `otherwise` needs no memory, and puts right what `body`
// may have left half done.
template <class Body, class Otherwise>
std::invoke_result_t<Body> unless_out_of_memory(Body&& body, Otherwise&& otherwise) noexcept {
  try {
    return std::forward<Body>(body)();
  } catch (const std::bad_alloc&) {
    return std::forward<Otherwise>(otherwise)();
  }
}

// The same for what may be left out.
template <class Body>
void if_memory_allows(Body&& body) noexcept {
  unless_out_of_memory(std::forward<Body>(body), [] {});
}

}  // namespace pyhost::base
