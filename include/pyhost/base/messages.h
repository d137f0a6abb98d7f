// The ids of everything we log, each declared once in messages.def.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace pyhost::base {

// Ids are stable: operators search logs for them. Where mod_wsgi reports the same condition as
// WSGInnnn, the number is the same.
enum class Message : std::uint16_t {
  none = 0,
#define PH_MESSAGE(number, name, meaning, remedy) name = 1##number - 10000,
#include "pyhost/base/messages.def"
#undef PH_MESSAGE
};

struct MessageInfo {
  Message message;
  std::string_view id;       // "PH0134"
  std::string_view meaning;  // what has happened
  std::string_view remedy;   // what to do about it
};

// All messages, by number.
std::span<const MessageInfo> all_messages() noexcept;

// "PH0134"; empty for Message::none.
std::string_view id_of(Message message) noexcept;

}  // namespace pyhost::base
