#include "pyhost/gateway/target.h"

namespace pyhost::gateway {

bool split_module_target(std::string_view text, std::string_view& module,
                         std::string_view& callable) noexcept {
  const auto colon = text.find(':');
  if (colon == text.npos || text.find('/') != text.npos) return false;
  module = text.substr(0, colon);
  callable = text.substr(colon + 1);
  return !module.empty() && !callable.empty();
}

}  // namespace pyhost::gateway
