// The setters of WSGIScriptAlias, WSGIScriptAliasMatch, WSGIHandlerScript and WSGIImportScript.
#pragma once

#include "apache/httpd_api.h"

namespace pyhost::apache {

// httpd's setter protocol: null, or a sentence about what is wrong, in the configuration's pool.
const char* add_script_alias(cmd_parms* cmd, void* directory, const char* arguments);
const char* add_script_alias_match(cmd_parms* cmd, void* directory, const char* arguments);
const char* add_handler_script(cmd_parms* cmd, void* directory, const char* arguments);
const char* add_import_script(cmd_parms* cmd, void* directory, const char* arguments);

}  // namespace pyhost::apache
