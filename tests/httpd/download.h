// A client that says when a reply arrives.
#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <functional>
#include <string>

#include "harness/http_client.h"

namespace pyhost::test {

// Gets a reply and keeps nothing of it. `on_body` is called with every piece, in the same thread.
CURLcode download(const Endpoint& endpoint, const std::string& path, Protocol protocol,
                  std::function<void(std::size_t bytes)> on_body);

}  // namespace pyhost::test
