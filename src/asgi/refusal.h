// Why an application may not do what it asks for.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace pyhost::asgi {

// Raised out of the application's call, with a sentence for its author.
struct Refusal {
  enum class Kind {
    runtime_error,  // not at this point of the exchange
    type_error,     // not an object of that type
    value_error,    // not with that value
  };
  Kind kind = Kind::runtime_error;
  std::string sentence;
};

// Nothing when it may.
using Verdict = std::optional<Refusal>;

inline Refusal out_of_order(std::string sentence) {
  return {Refusal::Kind::runtime_error, std::move(sentence)};
}
inline Refusal wrong_type(std::string sentence) {
  return {Refusal::Kind::type_error, std::move(sentence)};
}
inline Refusal wrong_value(std::string sentence) {
  return {Refusal::Kind::value_error, std::move(sentence)};
}

}  // namespace pyhost::asgi
