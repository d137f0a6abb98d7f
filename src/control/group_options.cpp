#include "control/group_options.h"

#include "control/json_values.h"

namespace pyhost::control {

Json options_json(const settings::ProcessGroup& group) {
  Json options = Json::array();
  for (const auto& [key, value] : settings::given_options(group)) {
    options.push_back({key, json_of(value)});
  }
  return options;
}

base::Result<> read_options(const Json& options, settings::ProcessGroup& group) {
  const auto malformed = [] { return base::fail("the options of a process group are malformed"); };
  if (!options.is_array()) return malformed();
  for (const Json& option : options) {
    std::string key, value;
    if (!option.is_array() || option.size() != 2 || !read(option[0], key) ||
        !read(option[1], value)) {
      return malformed();
    }
    PH_TRY_VOID(settings::parse_process_group_option(group, key, value));
  }
  return {};
}

}  // namespace pyhost::control
