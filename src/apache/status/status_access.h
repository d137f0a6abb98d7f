// What the handlers have in common that show how all is doing.
#pragma once

#include <string_view>

#include "apache/httpd_api.h"

namespace pyhost::apache {

// Why such a request is not answered, as a handler says it; OK when it is to be. Unless
// WSGIStatusLocalOnly is Off, whoever does not come from this machine gets 403.
int refusal_of(request_rec* r);

// Sends all of it, which nobody may keep.
void send_text(request_rec* r, const char* type, std::string_view text);

}  // namespace pyhost::apache
