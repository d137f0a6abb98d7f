// The module record. Configurations of mod_wsgi go on working: LoadModule wsgi_module,
// <IfModule wsgi_module> and <IfModule mod_wsgi.c>.
#include "apache/config/commands.h"
#include "apache/config/module_records.h"
#include "apache/guarded.h"
#include "apache/hooks.h"

using namespace pyhost;

module AP_MODULE_DECLARE_DATA __attribute__((visibility("default")))
wsgi_module = {MODULE_MAGIC_NUMBER_MAJOR,
               MODULE_MAGIC_NUMBER_MINOR,
               -1,
               "mod_wsgi.c",
               nullptr,
               nullptr,
               MODULE_MAGIC_COOKIE,
               nullptr,
               apache::guarded<&apache::create_directory_config, nullptr>,
               apache::guarded<&apache::merge_directory_config, nullptr>,
               apache::guarded<&apache::create_server_config, nullptr>,
               apache::guarded<&apache::merge_server_config, nullptr>,
               apache::command_table(),
               apache::register_hooks,
               AP_MODULE_FLAG_NONE};
