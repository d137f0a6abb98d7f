// The lines of httpd's configuration, those of other modules among them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "apache/httpd_api.h"

namespace pyhost::apache {

struct ConfigurationLine {
  std::string_view directive;      // "Require", "<Directory"
  std::vector<std::string> words;  // of its arguments, without the > of a section
  std::string place;               // see places.h
  const ap_directive_t* node = nullptr;

  bool is(std::string_view name) const;
};

// Those inside sections too, each behind the line of its section. PRECONDITION of all of these:
// httpd is reading its configuration or starts with it.
std::vector<ConfigurationLine> configuration_lines();

// The words of a line.
std::vector<std::string> words_of(const ap_directive_t& line, apr_pool_t* pool);

// The last word of the last line of that name outside of sections; "" when there is none.
std::string last_value_of(std::string_view directive);

}  // namespace pyhost::apache
