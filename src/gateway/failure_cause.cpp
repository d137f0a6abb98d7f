#include "pyhost/gateway/failure_cause.h"

#include <array>

namespace pyhost::gateway {
namespace {

struct Info {
  FailureKind kind;
  std::string_view name;
  std::string_view meaning;
};

constexpr auto kInfos = std::to_array<Info>({
    {FailureKind::none, "", ""},
#define PH_FAILURE(kind, name, meaning) {FailureKind::kind, #name, meaning},
#include "pyhost/gateway/failure_causes.def"
#undef PH_FAILURE
});

static_assert(kInfos.size() == kFailureCauses);

const Info& info_of(FailureCause cause) noexcept {
  return kInfos[static_cast<std::size_t>(cause)];
}

}  // namespace

FailureKind kind_of(FailureCause cause) noexcept {
  return info_of(cause).kind;
}

std::string_view name_of(FailureCause cause) noexcept {
  return info_of(cause).name;
}

std::string_view meaning_of(FailureCause cause) noexcept {
  return info_of(cause).meaning;
}

}  // namespace pyhost::gateway
