// The files that URLs of a server may be for, beside those of script aliases, as httpd's
// configuration tree tells.
#pragma once

#include <string>
#include <vector>

#include "apache/httpd_api.h"

namespace pyhost::apache {

// Patterns as of base/path_pattern.h; those without a * or ? are plain paths: the document root,
// what Alias and its like, UserDir, VirtualDocumentRoot and RewriteRule lead to, and the folders of
// directory sections, where what leads to them is not known (a module's own way, a relative
// UserDir). Those that would stand for all files are left out. PRECONDITION: httpd is reading its
// configuration or starts with it.
std::vector<std::string> mapped_paths_of(const server_rec* s);

}  // namespace pyhost::apache
