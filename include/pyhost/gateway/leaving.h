// Why open connections are to end.
#pragma once

#include <cstdint>

namespace pyhost::gateway {

// Why a client's WebSocket is to be closed by the application's side soon.
enum class Leaving : std::uint8_t {
  restart,  // its httpd child or its worker is replaced
  stop,     // httpd ends
};

}  // namespace pyhost::gateway
