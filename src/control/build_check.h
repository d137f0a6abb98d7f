// What begins every message that a program of another build may read: the build of who wrote it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "pyhost/base/result.h"

namespace pyhost::control {

// The member that has it, in every build. Nothing else of a message is looked at before it.
inline constexpr char kBuildKey[] = "build";

// Who reads a message and who has written it, by the names of their files, and what to do when they
// are of two builds.
struct Correspondents {
  std::string_view reader;
  std::string_view writer;
  std::string_view cure;
};

// Fails with a sentence for a message of another build.
base::Result<> check_build(const nlohmann::json& message, const Correspondents& ends);

}  // namespace pyhost::control
