#include "control/passed_listeners.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <climits>

#include "base/parse.h"

namespace pyhost::control {
namespace {

base::Result<PassedListener> parse_one(std::string_view text) {
  const auto equals = std::min(text.find('='), text.size());
  const auto fd = base::parse_unsigned(text.substr(0, equals));
  if (!fd || *fd <= STDERR_FILENO || *fd > INT_MAX || text.size() < equals + 2) {
    return base::fail(
        fmt::format("{}: '{}' is not a descriptor and an address, such as 4=127.0.0.1:8000",
                    kListenersVariable, text));
  }
  return PassedListener{.fd = static_cast<int>(*fd),
                        .address = std::string(text.substr(equals + 1))};
}

}  // namespace

std::string to_text(const std::vector<PassedListener>& listeners) {
  std::string text;
  for (const auto& [fd, address] : listeners) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", fd, address);
  }
  return text;
}

base::Result<std::vector<PassedListener>> parse_passed_listeners(std::string_view text) {
  std::vector<PassedListener> listeners;
  while (!text.empty()) {
    const auto stop = std::min(text.find(','), text.size());
    PH_TRY(listener, parse_one(text.substr(0, stop)));
    const bool twice = std::ranges::any_of(listeners, [&](const PassedListener& other) {
      return other.fd == listener.fd || other.address == listener.address;
    });
    if (twice) {
      return base::fail(fmt::format("{}: {}={} is there twice", kListenersVariable, listener.fd,
                                    listener.address));
    }
    listeners.push_back(std::move(listener));
    text.remove_prefix(std::min(stop + 1, text.size()));
  }
  return listeners;
}

}  // namespace pyhost::control
