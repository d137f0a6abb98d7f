#include "metrics/reference.h"

#include <fmt/format.h>

#include "metrics/families.h"
#include "pyhost/gateway/failure_cause.h"

namespace pyhost::metrics {
namespace {

std::string_view label_of(gateway::FailureKind kind) noexcept {
  switch (kind) {
    case gateway::FailureKind::rejection:
      return "reason";
    case gateway::FailureKind::abort:
      return "stage";
    default:
      return "cause";
  }
}

}  // namespace

std::string metrics_tables() {
  std::string text = "| metric | type | labels | what it is |\n| --- | --- | --- | --- |\n";
  for (const FamilyInfo& family : all_families()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", family.name, name_of(family.type),
                        family.labels, family.help);
  }
  text += "\n| label | value | a request counts there when |\n| --- | --- | --- |\n";
  for (std::size_t i = 1; i < gateway::kFailureCauses; ++i) {
    const auto cause = gateway::FailureCause(i);
    text += fmt::format("| {} | `{}` | {} |\n", label_of(kind_of(cause)), name_of(cause),
                        meaning_of(cause));
  }
  return text;
}

}  // namespace pyhost::metrics
