#include "supervisor/group/start_settings.h"

#include <nlohmann/json.hpp>

#include "base/json_text.h"
#include "scoreboard/board_rows.h"

namespace pyhost::supervisor {

std::string start_settings(const GroupSetup& setup, const WorkerPlace& place,
                           const std::optional<StartImports>& imports) {
  using nlohmann::json;
  json settings = json::parse(setup.wanted.worker_settings, nullptr, false);
  if (const launch::StartInputs& inputs = setup.inputs; !inputs.plugin.empty()) {
    settings["plugin"] = base::json_text_of(inputs.plugin);
    settings["python_program"] = base::json_text_of(inputs.python_program);
    settings["python_home"] = base::json_text_of(inputs.python_home);
  }
  settings["slot_index"] = place.slot;
  settings["row_index"] = scoreboard::row_of(place.slot);
  settings["generation"] = place.generation;
  settings["report_index"] = place.report;
  if (imports) {
    json list = json::array();
    for (const control::Preload& import : imports->scripts) {
      list.push_back({base::json_text_of(import.application_group),
                      base::json_text_of(import.script), base::json_text_of(import.callable)});
    }
    settings["predecessor_imports"] = std::move(list);
    settings["imports_required"] = imports->required;
  }
  return settings.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace pyhost::supervisor
