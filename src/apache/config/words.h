// The words of a directive that takes its arguments as one line.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "apache/httpd_api.h"
#include "apache/pool.h"
#include "pyhost/base/result.h"

namespace pyhost::apache {

// Takes the words one by one, with httpd's quoting. They end with a NUL and live in the
// configuration's pool.
class Words {
 public:
  Words(cmd_parms* cmd, const char* arguments) : cmd_(cmd), rest_(arguments) {}

  bool at_end() const { return *rest_ == '\0'; }
  bool at_quote() const { return *rest_ == '"' || *rest_ == '\''; }
  std::string_view next() { return ap_getword_conf(cmd_->pool, &rest_); }

  // An option as in `key=value` or `key="some value"`.
  base::Result<std::pair<std::string_view, std::string_view>> next_option() {
    const std::string_view rest = rest_;
    const auto stop = rest.find_first_of("= \t");
    if (stop == rest.npos || rest[stop] != '=' || stop == 0) {
      return base::fail(fmt::format("{}: '{}' is not an option=value", cmd_->cmd->name,
                                    rest.substr(0, rest.find_first_of(" \t"))));
    }
    rest_ += stop + 1;
    return std::pair(rest.substr(0, stop), next());
  }

 private:
  cmd_parms* cmd_;
  const char* rest_;
};

// What a directive's function returns for an error.
inline const char* as_httpd_error(cmd_parms* cmd, const base::Error& error) {
  return pool_c_string(cmd->pool, error.sentence);
}

}  // namespace pyhost::apache
