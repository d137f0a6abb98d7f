// The style and the script of the page of pyhost-status: page.css and page.js, as they are.
#pragma once

#include <string_view>

namespace pyhost::apache {

extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace pyhost::apache
