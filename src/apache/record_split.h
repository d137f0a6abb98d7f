// Cuts long log texts into records that httpd does not truncate.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace pyhost::apache {

// The pieces of `text`, in order and without the newline between them, each at most `bytes_max`
// long after httpd has escaped it. Cuts are made at line ends; only a line that is too long by
// itself is cut inside. A text that fits is one piece; an empty text is one empty piece.
std::vector<std::string_view> split_record(std::string_view text, std::size_t bytes_max);

}  // namespace pyhost::apache
