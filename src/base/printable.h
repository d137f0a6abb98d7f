// Texts of others, made fit for logs and terminals.
#pragma once

#include <string>
#include <string_view>

namespace pyhost::base {

// Appends `text` with everything escaped that does more than be read: control characters (also
// those from U+0080 to U+009F, which some terminals obey), marks that turn the direction of
// writing, the Unicode separators of lines and paragraphs, and bytes that are no UTF-8. Line ends
// and tabs become \n and \t, all else \xHH for each byte. Characters in `kept`, which is ASCII,
// stay.
void append_printable(std::string& out, std::string_view text, std::string_view kept = {});

// Appends `text` as a string of JSON, in quotes: the same characters as \uHHHH, and what is no
// UTF-8 as U+FFFD.
void append_json_string(std::string& out, std::string_view text);

std::string printable(std::string_view text, std::string_view kept = {});

}  // namespace pyhost::base
