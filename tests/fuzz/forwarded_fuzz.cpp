// Any lines as trusted proxies, trusted headers, peer and headers of a request: nobody who is not
// trusted is believed, and no synonym of a header that is asked for gets past.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "apache/request/request_origin.h"

namespace {

using namespace pyhost;
using apache::kForwardedHeaderCount;
using settings::kForwardedHeaders;
using settings::Said;

void require(bool condition) {
  if (!condition) std::abort();
}

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

template <class Take>
void for_each_word(std::string_view line, Take take) {
  while (!line.empty()) {
    const auto end = std::min(line.find(' '), line.size());
    take(line.substr(0, end));
    line.remove_prefix(std::min(end + 1, line.size()));
  }
}

bool is_asked_for(const settings::ForwardedHeaderList& list, Said said) {
  return std::ranges::any_of(list.headers(),
                             [said](std::size_t i) { return kForwardedHeaders[i].says == said; });
}

void require_nothing_believed(const apache::RequestOrigin& origin) {
  require(!origin.client && !origin.host && !origin.server && !origin.port && !origin.mount_point);
  require(!origin.https && !origin.chain);
}

void require_synonyms_withheld(const apache::RequestOrigin& origin,
                               const settings::ForwardedHeaderList& list, bool trusted) {
  for (std::size_t kind = 0; kind <= std::size_t(Said::scheme); ++kind) {
    std::size_t seen = 0;
    for (std::size_t i = 0; i < kForwardedHeaderCount; ++i) {
      if (kForwardedHeaders[i].says == Said(kind) && !origin.withheld[i]) ++seen;
    }
    if (!is_asked_for(list, Said(kind))) continue;
    require(seen <= (trusted ? 1 : 0));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<base::IpNetwork> networks;
  for_each_word(take_line(text), [&](std::string_view word) {
    const auto network = base::parse_ip_network(word);
    if (!network) return;
    require(base::parse_ip_network(base::to_string(*network)) == network);
    require(network->contains(network->address));
    networks.push_back(*network);
  });
  settings::ForwardedHeaderList list;
  for_each_word(take_line(text), [&](std::string_view word) { add_header(list, word); });
  const std::string_view peer = take_line(text);
  apache::ForwardedValues values;
  for (auto& value : values) {
    if (text.empty()) break;
    if (const auto line = take_line(text); line != "-") value = line;
  }
  const settings::NetworkList proxies{networks};
  const auto address = base::parse_ip_address(peer);
  const bool trusted = address && proxies.contains(*address);
  const auto origin = apache::find_origin(proxies, list, peer, values);
  if (!trusted) require_nothing_believed(origin);
  require_synonyms_withheld(origin, list, trusted);
  if (origin.chain) require(origin.client && origin.chain->starts_with(*origin.client));
  const auto anybody = apache::find_origin({}, list, peer, values);
  require(!anybody.chain);
  require_synonyms_withheld(anybody, list, true);
  return 0;
}
