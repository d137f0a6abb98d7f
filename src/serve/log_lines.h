// Makes httpd's error log readable on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace pyhost::serve {

// One line of the error log, without its end, as a person should see it. httpd escapes what a
// record of our module contains; line ends, tabs, quotes, backslashes and UTF-8 text become
// themselves again. What is not printable stays escaped: the text may come from a client, and a
// terminal obeys it. In lines of others, which may be
// an application's own output, they are escaped here.
std::string readable_log_line(std::string_view line);

}  // namespace pyhost::serve
