// What is said of an application that does not see the Authorization header: by a look at the
// configuration, and at the first request that has one.
#pragma once

#include <fmt/format.h>

#include <string_view>

#include "apache/check/findings.h"

namespace pyhost::apache {

// `application`: a script, or the line that maps it.
inline Diagnosis withheld_authorization(std::string_view application) {
  return {
      .sentence = fmt::format(
          "{}: the application does not see the Authorization header of its requests", application),
      .cure = "WSGIPassAuthorization On, if it checks passwords or tokens itself"};
}

}  // namespace pyhost::apache
