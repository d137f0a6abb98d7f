// What a client's frames are masked with (RFC 6455, 5.3).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace pyhost::websocket {

using MaskKey = std::array<std::uint8_t, 4>;

// Takes the mask from bytes of a payload that begin at `offset` in it.
void unmask(std::span<char> bytes, const MaskKey& key, std::uint64_t offset) noexcept;

}  // namespace pyhost::websocket
