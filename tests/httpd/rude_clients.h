// Clients that break off.
#pragma once

#include "harness/httpd.h"

namespace pyhost::test {

// How many they are.
inline constexpr int kRudeClients = 27;

// One after the other: in every phase of a request, each by a reset, by closing and by the end of
// sending. The server has tests/apps/uploads.wsgi at /uploads, patience.wsgi at /patience with a
// folder MARKS, and perils.wsgi at /.
void break_off_in_every_phase(const Httpd& httpd);

}  // namespace pyhost::test
