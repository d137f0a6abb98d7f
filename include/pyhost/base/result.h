// The result of an operation that can fail for reasons outside the program.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace pyhost::base {

// What went wrong, as one sentence for the person who can mend it. It names the directive, file or
// option concerned; callers may prefix context, only the outermost one logs.
struct Error {
  std::string sentence;
};

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(std::string sentence) {
  return tl::unexpected<Error>(Error{std::move(sentence)});
}

}  // namespace pyhost::base

// Evaluates a Result<T>; on failure returns its error from the enclosing function, otherwise
// declares `name` with the value.
#define PH_TRY(name, expression)                                               \
  auto name##_result = (expression);                                           \
  if (!name##_result) return tl::unexpected(std::move(name##_result).error()); \
  auto name = *std::move(name##_result)

// The same for a Result<void>.
#define PH_TRY_VOID(expression)                           \
  do {                                                    \
    if (auto outcome_ = (expression); !outcome_)          \
      return tl::unexpected(std::move(outcome_).error()); \
  } while (false)
