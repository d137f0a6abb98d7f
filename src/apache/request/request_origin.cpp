#include "apache/request/request_origin.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "base/parse.h"
#include "base/trimmed.h"

namespace pyhost::apache {
namespace {

using base::equals_ignoring_case;
using base::trimmed;
using settings::kForwardedHeaders;
using settings::NetworkList;
using settings::Reading;
using settings::Said;

// The items of a list, without empty ones.
std::vector<std::string_view> items_of(std::string_view list) {
  std::vector<std::string_view> items;
  for (std::size_t start = 0; start <= list.size();) {
    const auto stop = std::min(list.find(',', start), list.size());
    const auto item = trimmed(list.substr(start, stop - start));
    if (!item.empty()) items.push_back(item);
    start = stop + 1;
  }
  return items;
}

bool is_in(const NetworkList& proxies, std::string_view text) {
  const auto address = base::parse_ip_address(text);
  return address && proxies.contains(*address);
}

std::optional<bool> https_by_name(std::string_view value) {
  if (equals_ignoring_case(value, "https")) return true;
  if (equals_ignoring_case(value, "http")) return false;
  return std::nullopt;
}

std::optional<bool> https_by_flag(std::string_view value) {
  if (equals_ignoring_case(value, "true") || value == "1") return true;
  if (equals_ignoring_case(value, "false") || value == "0") return false;
  return base::parse_flag(value);
}

class Reader {
 public:
  explicit Reader(const std::optional<NetworkList>& proxies) : proxies_(proxies) {}

  // Whether the value says anything.
  bool read(const settings::ForwardedHeader& header, std::string_view value) {
    switch (header.reading) {
      case Reading::chain:
        return read_chain(value);
      case Reading::scheme_name:
        return read_scheme(https_by_name(trimmed(value)));
      case Reading::flag:
        return read_scheme(https_by_flag(trimmed(value)));
      case Reading::verbatim:
        break;
    }
    if (trimmed(value).empty()) return false;
    member(header.says) = value;
    if (header.says == Said::client) origin_.chain.reset();
    return true;
  }

  RequestOrigin result() && { return std::move(origin_); }

 private:
  std::optional<std::string_view>& member(Said said) {
    switch (said) {
      case Said::client:
        return origin_.client;
      case Said::host:
        return origin_.host;
      case Said::server:
        return origin_.server;
      case Said::port:
        return origin_.port;
      case Said::mount:
      case Said::scheme:
        break;
    }
    return origin_.mount_point;
  }

  bool read_scheme(std::optional<bool> https) {
    if (https) origin_.https = https;
    return https.has_value();
  }

  bool read_chain(std::string_view value) {
    const auto items = items_of(value);
    if (items.empty()) return false;
    if (!proxies_) {
      origin_.client = items.front();
      return true;
    }
    // Each proxy appends whom it has got the request from; what stands before an address that is
    // not trusted, anybody may have written.
    std::size_t client = items.size() - 1;
    while (client > 0 && is_in(*proxies_, items[client])) --client;
    origin_.client = items[client];
    origin_.chain =
        fmt::format("{}", fmt::join(items.begin() + std::ptrdiff_t(client), items.end(), ", "));
    return true;
  }

  const std::optional<NetworkList>& proxies_;
  RequestOrigin origin_;
};

}  // namespace

RequestOrigin find_origin(const std::optional<NetworkList>& proxies,
                          const settings::ForwardedHeaderList& headers, std::string_view peer,
                          const ForwardedValues& values) {
  Reader reader(proxies);
  const bool trusted = !proxies || is_in(*proxies, peer);
  constexpr std::size_t kNone = kForwardedHeaderCount;
  // Of each thing that is asked for, the header that says it.
  std::array<std::optional<std::size_t>, std::size_t(Said::scheme) + 1> winners;
  for (const std::size_t number : headers.headers()) {
    const auto& header = kForwardedHeaders[number];
    auto& winner = winners[std::size_t(header.says)];
    if (!winner) winner = kNone;
    if (trusted && values[number] && reader.read(header, *values[number])) winner = number;
  }
  RequestOrigin origin = std::move(reader).result();
  for (std::size_t number = 0; number < kForwardedHeaderCount; ++number) {
    const auto& winner = winners[std::size_t(kForwardedHeaders[number].says)];
    origin.withheld[number] = winner && *winner != number;
  }
  return origin;
}

}  // namespace pyhost::apache
