#include "asgi/web_socket_offer.h"

#include <algorithm>

#include "base/trimmed.h"

namespace pyhost::asgi {
namespace {

// The last entry is the one that counts.
std::string_view header_value(const gateway::RequestHead& head, std::string_view name) noexcept {
  std::string_view value;
  for (const gateway::EnvironEntry& entry : head.environ) {
    if (entry.key == gateway::EnvironKey::other && entry.name == name) value = entry.value;
  }
  return value;
}

}  // namespace

std::vector<std::string_view> subprotocols_of(const gateway::RequestHead& head) {
  std::vector<std::string_view> names;
  std::string_view rest = header_value(head, "HTTP_SEC_WEBSOCKET_PROTOCOL");
  while (!rest.empty()) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view name = base::trimmed(rest.substr(0, comma));
    if (!name.empty()) names.push_back(name);
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return names;
}

std::string_view extensions_offered(const gateway::RequestHead& head) noexcept {
  return header_value(head, "HTTP_SEC_WEBSOCKET_EXTENSIONS");
}

}  // namespace pyhost::asgi
