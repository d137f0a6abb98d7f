// Where directives stand in the files of the configuration.
#pragma once

#include <string>
#include <string_view>

#include "apache/httpd_api.h"

namespace pyhost::apache {

// "/etc/apache2/sites-enabled/shop.conf:12", in the configuration's pool.
const char* place_of(const cmd_parms* cmd);

// A sentence with a place behind it, if there is one: "... (/etc/apache2/apache2.conf:12)".
std::string with_place(std::string sentence, const char* place_or_null);

// Where what a sentence begins with stands: a WSGIDaemonProcess and its name, or another directive
// of the main server; null when that is unknown. PRECONDITION: check_process_groups() has run.
const char* place_of_subject(std::string_view sentence);

// Sentences, each on a line: those that begin with a WSGIDaemonProcess and its name, or with
// another directive of the main server, get its place. PRECONDITION: check_process_groups() has
// run.
std::string with_places(std::string_view sentences);

}  // namespace pyhost::apache
