// WSGIScriptAlias and WSGIScriptAliasMatch at work.
#pragma once

#include "apache/config/config.h"
#include "apache/httpd_api.h"

namespace pyhost::apache {

// The handler names that are ours.
inline constexpr char kHandler[] = "wsgi-script";
inline constexpr char kLegacyHandler[] = "application/x-httpd-wsgi";

// The alias that has mapped this request, null when a handler directive did.
const ScriptAlias* find_alias(request_rec* r);

// translate_name: maps the request to the file or module of the first alias that matches.
int translate_alias(request_rec* r);

// map_to_storage: a module has no file for httpd to look for, hence no <Directory> sections.
int skip_storage_of_module(request_rec* r);

}  // namespace pyhost::apache
