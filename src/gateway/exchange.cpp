#include "pyhost/gateway/exchange.h"

namespace pyhost::gateway {

int status_of(BodyFault fault) noexcept {
  switch (fault) {
    case BodyFault::none:
      return 200;
    case BodyFault::client_gone:
    case BodyFault::malformed:
      return 400;
    case BodyFault::too_slow:
      return 408;
    case BodyFault::too_large:
      return 413;
    case BodyFault::failed:
      break;
  }
  return 500;
}

std::string_view describe(BodyFault fault) noexcept {
  switch (fault) {
    case BodyFault::none:
      return "no fault";
    case BodyFault::client_gone:
      return "the client closed the connection before the end of the body";
    case BodyFault::too_slow:
      return "the client sent the body too slowly";
    case BodyFault::malformed:
      return "the client sent a malformed body";
    case BodyFault::too_large:
      return "the body is larger than LimitRequestBody allows";
    case BodyFault::failed:
      break;
  }
  return "an input filter of httpd failed";
}

}  // namespace pyhost::gateway
