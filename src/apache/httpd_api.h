// The one door to httpd's headers.
#pragma once

// httpd leaves its typed command functions to compilers with designated initialisers, and looks for
// those in C only; C++20 has them too.
#define AP_HAVE_DESIGNATED_INITIALIZER

#include <ap_mpm.h>
#include <apr_strings.h>
#include <http_config.h>
#include <http_connection.h>
#include <http_core.h>
#include <http_log.h>
#include <http_main.h>
#include <http_protocol.h>
#include <http_request.h>
#include <http_ssl.h>
#include <http_vhost.h>
#include <httpd.h>
#include <mpm_common.h>
#include <util_script.h>

APLOG_USE_MODULE(wsgi);
