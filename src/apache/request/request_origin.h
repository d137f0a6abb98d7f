// Where a request came from, when proxies that are trusted say so.
#pragma once

#include <array>
#include <bitset>
#include <optional>
#include <string>
#include <string_view>

#include "settings/trusted_proxies.h"

namespace pyhost::apache {

inline constexpr std::size_t kForwardedHeaderCount = settings::kForwardedHeaders.size();

// What a request has of the known headers, in their order.
using ForwardedValues = std::array<std::optional<std::string_view>, kForwardedHeaderCount>;

// What is to be believed. Views into the values.
struct RequestOrigin {
  std::optional<std::string_view> client;       // REMOTE_ADDR
  std::optional<std::string_view> host;         // HTTP_HOST
  std::optional<std::string_view> server;       // SERVER_NAME
  std::optional<std::string_view> port;         // SERVER_PORT
  std::optional<std::string_view> mount_point;  // SCRIPT_NAME
  std::optional<bool> https;
  // X-Forwarded-For from the client on, without what the client itself may have written.
  std::optional<std::string> chain;
  // The headers that the application is not to see: synonyms of those that are believed, and all
  // of them when the peer is not.
  std::bitset<kForwardedHeaderCount> withheld;
};

// WSGITrustedProxies, and WSGITrustedProxyHeaders: without a list of proxies every peer is trusted,
// with one those whose address is in it. Of several headers that say the same, the last one in the
// order of the list counts; one that is empty, or says nothing that can be used, does not.
// X-Forwarded-For is read from its end: the client is who stands before the trusted proxies there;
// without a list of proxies it is the first item.
RequestOrigin find_origin(const std::optional<settings::NetworkList>& proxies,
                          const settings::ForwardedHeaderList& headers, std::string_view peer,
                          const ForwardedValues& values);

}  // namespace pyhost::apache
