// A certificate for TLS in tests.
#pragma once

#include <string>

namespace pyhost::test {

// A PEM file with a self-signed certificate for localhost and 127.0.0.1 and its key. Made once per
// test binary, gone at its end.
const std::string& test_certificate();

}  // namespace pyhost::test
