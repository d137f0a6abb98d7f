// The barrier between httpd and C++ exceptions.
#pragma once

#include <exception>

namespace pyhost::apache {

// Logs PH0352. Never throws.
void report_exception(const char* what) noexcept;

template <auto function, auto... fallback>
struct Guarded;

template <class Return, class... Arguments, Return (*function)(Arguments...), auto... fallback>
struct Guarded<function, fallback...> {
  static Return call(Arguments... arguments) noexcept {
    try {
      return function(arguments...);
    } catch (const std::exception& error) {
      report_exception(error.what());
    } catch (...) {
      report_exception("an exception of an unknown type");
    }
    return Return(fallback...);
  }
};

// `guarded<&handle, HTTP_INTERNAL_SERVER_ERROR>` is a callback for httpd with handle's signature:
// an exception is logged, and the callback returns the second argument (void has none).
template <auto function, auto... fallback>
inline constexpr auto guarded = &Guarded<function, fallback...>::call;

}  // namespace pyhost::apache
