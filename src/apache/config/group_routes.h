// Which WSGIProcessGroup is in force for the requests of an alias, as far as the configuration
// tells without a request.
#pragma once

#include <string_view>
#include <vector>

#include "apache/config/config.h"

namespace pyhost::apache {

// A place in a server's configuration that names a process group for what is below it: the record
// of a section, or nullptr for the server itself.
using GroupSource = const DirectoryConfig*;

// Whether httpd gives a server any request: not the main server when virtual hosts have all
// addresses that are listened at.
bool may_get_requests(const server_rec* s);

// Whether an alias is for that URL path.
bool takes(const ScriptAlias& alias, std::string_view url);

// Whether no request comes to an alias of the server, because another one finds it first or no URL
// can be like the alias.
bool is_shadowed(const server_rec* s, const ScriptAlias& alias);

// Where requests of an alias without process-group= get the name of their group from. What depends
// on more than URL and file, such as <Files>, <If> and regular expressions, is left out with all
// that it may override.
std::vector<GroupSource> group_sources(const server_rec* s, const ScriptAlias& alias);

}  // namespace pyhost::apache
