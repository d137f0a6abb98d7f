// The parts of a request's target that a scope names.
#pragma once

#include <string_view>

namespace pyhost::asgi {

// raw_path: the path of a target as it stood on the request line, undecoded and without the query.
// Of a URL that is what lies behind scheme and authority; "*" stays what it is (RFC 9112, 3.2).
std::string_view raw_path_of(std::string_view request_uri) noexcept;

// http_version of a SERVER_PROTOCOL: "1.0", "1.1", "2".
std::string_view http_version_of(std::string_view protocol) noexcept;

}  // namespace pyhost::asgi
