#include "asgi/request_target.h"

namespace pyhost::asgi {

std::string_view raw_path_of(std::string_view request_uri) noexcept {
  constexpr std::string_view kBehindScheme = "://";
  std::string_view path = request_uri.substr(0, request_uri.find_first_of("?#"));
  if (path.starts_with('/')) return path;
  const auto scheme = path.find(kBehindScheme);
  if (scheme == path.npos) return path;
  path.remove_prefix(scheme + kBehindScheme.size());
  const auto slash = path.find('/');
  return slash == path.npos ? "/" : path.substr(slash);
}

std::string_view http_version_of(std::string_view protocol) noexcept {
  constexpr std::string_view kName = "HTTP/";
  const std::string_view version =
      protocol.starts_with(kName) ? protocol.substr(kName.size()) : std::string_view();
  if (version == "1.0" || version == "0.9") return "1.0";
  return version.starts_with('2') ? "2" : "1.1";
}

}  // namespace pyhost::asgi
