#include "websocket/deflate_offer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "base/parse.h"
#include "base/trimmed.h"

namespace pyhost::websocket {
namespace {

// zlib cannot deflate with the smallest window that the protocol knows.
constexpr int kDeflateBitsMin = 9;
constexpr int kWindowBitsMin = 8;
constexpr int kWindowBitsMax = 15;

struct Parameter {
  std::string_view name;
  std::optional<std::string_view> value;
};

// The parts between separators that are in no quotes, trimmed.
std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      quoted = !quoted;
    } else if (text[i] == separator && !quoted) {
      parts.push_back(base::trimmed(text.substr(begin, i - begin)));
      begin = i + 1;
    }
  }
  parts.push_back(base::trimmed(text.substr(begin)));
  return parts;
}

Parameter parameter_of(std::string_view text) noexcept {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {text, std::nullopt};
  std::string_view value = base::trimmed(text.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  return {base::trimmed(text.substr(0, equals)), value};
}

// Of a window; no leading zero.
std::optional<int> bits_of(std::string_view value) noexcept {
  int bits = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), bits);
  const bool is_number = error == std::errc() && end == value.data() + value.size();
  if (!is_number || value.front() == '0') return std::nullopt;
  if (bits < kWindowBitsMin || bits > kWindowBitsMax) return std::nullopt;
  return bits;
}

// Whether an offer with that parameter can be had. Adds what the answer has to say of it.
bool take_parameter(const Parameter& parameter, DeflateAgreement& agreement) {
  const auto& [name, value] = parameter;
  if (name == "server_no_context_takeover" && !value) {
    agreement.server_context = Deflater::Context::of_each_message;
    agreement.answer += "; server_no_context_takeover";
    return true;
  }
  if (name == "client_no_context_takeover" && !value) {
    agreement.client_context = Inflater::Context::of_each_message;
    agreement.answer += "; client_no_context_takeover";
    return true;
  }
  // We take any window.
  if (name == "client_max_window_bits") return !value || bits_of(*value);
  if (name != "server_max_window_bits" || !value) return false;
  const auto bits = bits_of(*value);
  if (!bits || *bits < kDeflateBitsMin) return false;
  agreement.server_window_bits = std::min(*bits, kServerWindowBits);
  agreement.answer += fmt::format("; server_max_window_bits={}", agreement.server_window_bits);
  return true;
}

std::optional<DeflateAgreement> agree_on(std::string_view offer) {
  constexpr std::string_view kName = "permessage-deflate";
  const std::vector<std::string_view> parts = split(offer, ';');
  if (!base::equals_ignoring_case(parts.front(), kName)) return std::nullopt;
  DeflateAgreement agreement{.answer = std::string(kName)};
  std::vector<std::string_view> names;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const Parameter parameter = parameter_of(parts[i]);
    if (std::ranges::find(names, parameter.name) != names.end()) return std::nullopt;
    names.push_back(parameter.name);
    if (!take_parameter(parameter, agreement)) return std::nullopt;
  }
  return agreement;
}

}  // namespace

std::optional<DeflateAgreement> agree_on_deflate(std::string_view offers) {
  for (const std::string_view offer : split(offers, ',')) {
    if (auto agreement = agree_on(offer)) return agreement;
  }
  return std::nullopt;
}

}  // namespace pyhost::websocket
