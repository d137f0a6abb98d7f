#include "control/build_check.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/printable.h"
#include "pyhost/gateway/build_id.h"

namespace pyhost::control {

base::Result<> check_build(const nlohmann::json& message, const Correspondents& ends) {
  const auto found = message.find(kBuildKey);
  const auto* build =
      found == message.end() ? nullptr : found->get_ptr<const nlohmann::json::string_t*>();
  if (build != nullptr && *build == gateway::kBuildId) return {};
  return base::fail(fmt::format(
      "{} is of build {}, {} of {}; {}", ends.reader, gateway::kBuildId, ends.writer,
      build == nullptr ? "an unknown build" : "build " + base::printable(*build), ends.cure));
}

}  // namespace pyhost::control
