// Long bodies in tests, and digests.
#pragma once

#include <string>
#include <string_view>

namespace pyhost::test {

// Bytes of every value in an order that does not repeat soon; always the same ones.
std::string varied_bytes(std::size_t bytes);

// In hexadecimal digits.
std::string sha256_of(std::string_view text);
std::string md5_of(std::string_view text);

}  // namespace pyhost::test
