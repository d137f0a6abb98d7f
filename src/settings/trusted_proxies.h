// Who is believed about where a request came from, and what: WSGITrustedProxies and
// WSGITrustedProxyHeaders.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/ip_network.h"

namespace pyhost::settings {

// What a header says about a request. Headers that say the same are synonyms: whoever is not
// believed may use none of them.
enum class Said : std::uint8_t { client, host, server, port, mount, scheme };

// How its value is to be read.
enum class Reading : std::uint8_t {
  verbatim,
  chain,        // addresses, the nearest proxy's word last
  scheme_name,  // http or https
  flag,         // On, true or 1; Off, false or 0
};

struct ForwardedHeader {
  std::string_view name;  // "X-Forwarded-For"
  std::string_view key;   // "HTTP_X_FORWARDED_FOR", of the environ
  Said says;
  Reading reading;
};

inline constexpr auto kForwardedHeaders = std::to_array<ForwardedHeader>({
#define PH_FORWARDED_HEADER(name, key, says, reading) {name, key, Said::says, Reading::reading},
#include "settings/forwarded_headers.def"
#undef PH_FORWARDED_HEADER
});

// The number of a header in kForwardedHeaders, by its environ key.
std::optional<std::size_t> find_forwarded_key(std::string_view key) noexcept;

// Networks; the memory is whoever's who made the list.
struct NetworkList {
  std::span<const base::IpNetwork> networks;

  bool contains(const base::IpAddress& address) const noexcept;
};

// Some of kForwardedHeaders by their numbers, in the order in which they were named.
class ForwardedHeaderList {
 public:
  // One that is named again is named last.
  void add(std::size_t header) noexcept;
  std::span<const std::uint8_t> headers() const noexcept { return {numbers_.data(), count_}; }

 private:
  std::array<std::uint8_t, kForwardedHeaders.size()> numbers_{};
  std::uint8_t count_ = 0;
};

// Whether a header of that name can reach an application: letters, digits and '-'.
bool is_header_name(std::string_view name) noexcept;

// Adds the header of that name in any letter case. Others are not known, and left out.
void add_header(ForwardedHeaderList& list, std::string_view name) noexcept;

}  // namespace pyhost::settings
