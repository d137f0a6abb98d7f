// Writes the configuration of a whole httpd for one site.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "serve/serve_options.h"

namespace pyhost::serve {

// What the configuration says besides the site.
struct ServerSettings {
  std::string server_root;
  std::string host;  // as in the URL; an IPv6 address without brackets
  int port = 0;
  int threads = 0;
  std::string application_group;
  std::string log_level;
  std::string user;  // "": httpd keeps the user it is started as
  std::string group;
  std::string module_file;  // mod_pyhost.so
  std::string modules_dir;
  // The file names in modules_dir: what is not there is built into httpd.
  std::vector<std::string> modules;
  std::string mime_types_file;  // "": none
};

// The whole httpd.conf. Pure.
std::string render_config(const Site& site, const ServerSettings& settings);

// `text` as one word of a configuration line, in double quotes. PRECONDITION: no control
// characters. A text with "${" in it comes out with ${DOLLAR}, which the configuration defines as a
// dollar sign.
std::string config_word(std::string_view text);

// A text for a regular expression that finds it.
std::string regex_word(std::string_view text);

// The same for a path in a section such as <Directory>, where *, ? and [ are wildcards.
std::string pattern_word(std::string_view path);

}  // namespace pyhost::serve
