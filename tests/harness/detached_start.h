// A start of httpd as apachectl makes it, which leaves the terminal before it is up.
#pragma once

#include "harness/httpd.h"

namespace pyhost::test {

// Runs `httpd -k start` with a test's configuration. The output is what the terminal shows: the
// error log is not part of it. If httpd does come up, it is ended.
ConfigCheck start_detached(std::string_view config, const Options& options = {});

}  // namespace pyhost::test
