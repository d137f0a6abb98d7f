// An application that is deployed again and again.
#pragma once

#include <string>

namespace pyhost::test {

// The script of a version: it answers with its number, after the seconds that the query names.
inline std::string version(int number) {
  return "import time\n"
         "def application(environ, start_response):\n"
         "    if environ['QUERY_STRING']:\n"
         "        time.sleep(float(environ['QUERY_STRING']))\n"
         "    start_response('200 OK', [])\n"
         "    return [b'" +
         std::to_string(number) + "']\n";
}

}  // namespace pyhost::test
