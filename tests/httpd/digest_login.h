// Digest authentication (RFC 7616) as clients do it.
#pragma once

#include <string>
#include <string_view>

#include "harness/httpd.h"

namespace pyhost::test {

// Asks for the path without credentials, and again with those for the challenge: the status of the
// second reply. Name and password may have any bytes but quotes.
int digest_login(const Httpd& httpd, const std::string& path, std::string_view user,
                 std::string_view password);

}  // namespace pyhost::test
