#include "apache/request/trace_context.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/trimmed.h"

namespace pyhost::apache {
bool is_hex(std::string_view text) noexcept {
  return std::ranges::all_of(
      text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

namespace {

constexpr std::string_view kOwnVersion = "00";
constexpr std::string_view kInvalidVersion = "ff";
constexpr std::size_t kVersionDigits = 2;
constexpr std::size_t kFlagsDigits = 2;
// 00-32 digits-16 digits-2 digits
constexpr std::size_t kTraceAt = kVersionDigits + 1;
constexpr std::size_t kParentAt = kTraceAt + kTraceIdDigits + 1;
constexpr std::size_t kFlagsAt = kParentAt + kSpanIdDigits + 1;
constexpr std::size_t kLength = kFlagsAt + kFlagsDigits;

bool is_id(std::string_view text) noexcept {
  return is_hex(text) && text.find_first_not_of('0') != text.npos;
}

constexpr bool is_lower(char c) noexcept {
  return c >= 'a' && c <= 'z';
}
constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

bool is_key_text(std::string_view text) noexcept {
  return std::ranges::all_of(text, [](char c) {
    return is_lower(c) || is_digit(c) || c == '_' || c == '-' || c == '*' || c == '/';
  });
}

// "vendor", or "tenant@vendor".
bool is_key(std::string_view key) noexcept {
  constexpr std::size_t kKeyMax = 256;
  constexpr std::size_t kTenantMax = 241;
  constexpr std::size_t kVendorMax = 14;
  const auto at = key.find('@');
  if (at == key.npos) {
    return !key.empty() && key.size() <= kKeyMax && is_lower(key.front()) && is_key_text(key);
  }
  const auto tenant = key.substr(0, at);
  const auto vendor = key.substr(at + 1);
  return !tenant.empty() && tenant.size() <= kTenantMax &&
         (is_lower(tenant.front()) || is_digit(tenant.front())) && is_key_text(tenant) &&
         !vendor.empty() && vendor.size() <= kVendorMax && is_lower(vendor.front()) &&
         is_key_text(vendor);
}

bool is_value(std::string_view value) noexcept {
  constexpr std::size_t kValueMax = 256;
  return !value.empty() && value.size() <= kValueMax && value.back() != ' ' &&
         std::ranges::all_of(value,
                             [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

bool is_member(std::string_view member) noexcept {
  const auto equals = member.find('=');
  return equals != member.npos && is_key(member.substr(0, equals)) &&
         is_value(member.substr(equals + 1));
}

}  // namespace

std::optional<TraceParent> parse_trace_parent(std::string_view value) noexcept {
  if (value.size() < kLength) return std::nullopt;
  const auto version = value.substr(0, kVersionDigits);
  if (!is_hex(version) || version == kInvalidVersion) return std::nullopt;
  const bool has_more = value.size() > kLength;
  if (has_more && (version == kOwnVersion || value[kLength] != '-')) return std::nullopt;
  for (const std::size_t at : {kTraceAt, kParentAt, kFlagsAt}) {
    if (value[at - 1] != '-') return std::nullopt;
  }
  const TraceParent parent{.trace_id = value.substr(kTraceAt, kTraceIdDigits),
                           .parent_id = value.substr(kParentAt, kSpanIdDigits),
                           .flags = value.substr(kFlagsAt, kFlagsDigits)};
  if (!is_id(parent.trace_id) || !is_id(parent.parent_id) || !is_hex(parent.flags)) {
    return std::nullopt;
  }
  return parent;
}

std::string format_trace_parent(const TraceParent& parent) {
  return fmt::format("{}-{}-{}-{}", kOwnVersion, parent.trace_id, parent.parent_id, parent.flags);
}

bool is_trace_state(std::string_view value) noexcept {
  constexpr int kMembersMax = 32;
  int members = 0;
  while (true) {
    const auto comma = value.find(',');
    const auto member = base::trimmed(value.substr(0, comma));
    if (!member.empty() && (++members > kMembersMax || !is_member(member))) return false;
    if (comma == value.npos) return members > 0;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace pyhost::apache
