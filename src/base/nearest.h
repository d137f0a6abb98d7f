// Finding the name that somebody meant who has written another one.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace pyhost::base {

// The name that `written` is most likely a slip of the pen for; "" when none is like it. Letter
// case does not count.
std::string_view nearest_name(std::string_view written, std::span<const std::string_view> names);

// The same for a sentence: " (the nearest name is 'shop')", or nothing.
std::string hint_at_nearest(std::string_view written, std::span<const std::string_view> names);

}  // namespace pyhost::base
