// Bytes in JSON: paths and environment variables are bytes, JSON texts are Unicode.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace pyhost::base {

// Each byte becomes the character of its number, in UTF-8.
std::string json_text_of(std::string_view bytes);

// The way back; nothing for a text with a character above U+00FF.
std::optional<std::string> bytes_of_json_text(std::string_view text);

}  // namespace pyhost::base
