#include "pyhost/base/messages.h"

#include <algorithm>
#include <array>

namespace pyhost::base {
namespace {

constexpr auto kDeclared = std::to_array<MessageInfo>({
#define PH_MESSAGE(number, name, meaning, remedy) {Message::name, "PH" #number, meaning, remedy},
#include "pyhost/base/messages.def"
#undef PH_MESSAGE
});

constexpr auto kByNumber = [] {
  auto sorted = kDeclared;
  std::ranges::sort(sorted, {}, &MessageInfo::message);
  return sorted;
}();

static_assert(std::ranges::adjacent_find(kByNumber, {}, &MessageInfo::message) == kByNumber.end(),
              "two messages share a number");

}  // namespace

std::span<const MessageInfo> all_messages() noexcept {
  return kByNumber;
}

std::string_view id_of(Message message) noexcept {
  const auto found = std::ranges::lower_bound(kByNumber, message, {}, &MessageInfo::message);
  return found != kByNumber.end() && found->message == message ? found->id : std::string_view();
}

}  // namespace pyhost::base
