// WSGICheckAuthn: who has sent a request, with a reply of the script's own.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

// check_user_id.
int check_authn(request_rec* r);

}  // namespace pyhost::apache
