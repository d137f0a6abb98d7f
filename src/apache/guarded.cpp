#include "apache/guarded.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "apache/log.h"

namespace pyhost::apache {

// Without memory of our own: that may be what has run out.
void report_exception(const char* what) noexcept {
  std::array<char, 300> text;
  const auto written =
      fmt::format_to_n(text.data(), text.size(),
                       "a hook of mod_pyhost has failed, and what it was to do was "
                       "not done: {}",
                       what);
  log_server(ap_server_conf, base::LogLevel::crit, base::Message::internal_error,
             {text.data(), std::min(written.size, text.size())});
}

}  // namespace pyhost::apache
