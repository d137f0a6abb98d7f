// Listening sockets that a httpd gets from whoever starts it, instead of opening them itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "pyhost/base/result.h"

namespace pyhost::control {

// The variable of httpd's environment that names them; mod_pyhost takes it out.
inline constexpr char kListenersVariable[] = "PYHOST_LISTENERS";

// A descriptor that httpd has from its start, and the Listen line that it stands for. A unix socket
// stands for a line whose address nothing else uses: httpd 2.4 has no line for one.
struct PassedListener {
  int fd = -1;
  std::string address;  // with the port: "127.0.0.1:8000", "[::1]:8000"

  bool operator==(const PassedListener&) const = default;
};

// "4=127.0.0.1:8000,5=127.0.0.1:1".
std::string to_text(const std::vector<PassedListener>& listeners);
// Fails with a sentence for what to_text() has not made. Standard descriptors are none.
base::Result<std::vector<PassedListener>> parse_passed_listeners(std::string_view text);

}  // namespace pyhost::control
