// What an application is called when nobody says.
#pragma once

#include <array>
#include <string_view>

namespace pyhost::serve {

// As a callable is written, in the order in which they are looked for.
inline constexpr std::array<std::string_view, 4> kUsualCallables{"application", "app",
                                                                 "create_app()", "make_app()"};

}  // namespace pyhost::serve
